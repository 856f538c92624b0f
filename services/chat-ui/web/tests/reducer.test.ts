import { describe, expect, it } from 'vitest'
import { joinTokens, toAction } from '@/features/chat/model/events'
import { emptyConversation, reduce, type Action, type Conversation } from '@/features/chat/model/reducer'
import type { Message, Source } from '@/lib/api/types'

const message = (id: string, role: Message['role'], content = '', part: Partial<Message> = {}): Message => ({
  id,
  session_id: 's',
  role,
  content,
  status: 'done',
  collection: null,
  model: null,
  sources: [],
  citations: [],
  grounding: null,
  error: null,
  feedback: null,
  run_id: null,
  created_at: '2026-01-01T00:00:00Z',
  ...part,
})

const source: Source = {
  n: 1,
  chunk_id: 'c',
  document_id: 'd',
  collection: 'default',
  title: 't',
  text: 'x',
  start: 0,
  end: 1,
  score: 1,
}

const play = (state: Conversation, ...actions: Action[]) => actions.reduce(reduce, state)

const asked: Action = {
  type: 'asked',
  question: message('q-temp', 'user', 'why'),
  answer: message('a-temp', 'assistant', '', { status: 'running' }),
  after: null,
}
const opened: Action = { type: 'opened', runId: 'r', questionId: 'q', answerId: 'a' }
const sources = (seq: number, attempt = 1): Action => ({ type: 'sources', seq, attempt, sources: [source] })
const token = (seq: number, text: string): Action => ({ type: 'token', seq, text })
const content = (state: Conversation) => state.messages.at(-1)?.content

describe('a run', () => {
  it('goes from searching over reading to writing and ends with the final message', () => {
    let state = play(emptyConversation, asked)
    expect(state.run?.phase).toBe('searching')
    state = play(state, opened)
    expect(state.messages.map((each) => each.id)).toEqual(['q', 'a'])
    state = play(state, sources(0))
    expect(state.run?.phase).toBe('reading')
    expect(state.messages.at(-1)?.sources).toHaveLength(1)
    state = play(state, token(1, 'He'), token(2, 'llo'))
    expect(state.run?.phase).toBe('writing')
    expect(content(state)).toBe('Hello')
    state = play(state, { type: 'finished', seq: 3, message: message('a', 'assistant', 'Hello.') })
    expect(state.run).toBeNull()
    expect(content(state)).toBe('Hello.')
  })

  it('repeats nothing when a stream is replayed after it was lost', () => {
    const state = play(emptyConversation, asked, opened, sources(0), token(1, 'a'), token(2, 'b'), { type: 'lost' })
    expect(state.run?.reconnecting).toBe(true)
    const again = play(state, sources(0), token(1, 'a'), token(2, 'b'), token(3, 'c'))
    expect(content(again)).toBe('abc')
    expect(again.run?.reconnecting).toBe(false)
  })

  it('starts the text anew when another replica takes over', () => {
    const state = play(emptyConversation, asked, opened, sources(0), token(1, 'half an ans'), sources(2, 2), token(3, 'new'))
    expect(content(state)).toBe('new')
    expect(state.run?.attempt).toBe(2)
  })

  it('takes over even when the new attempt counts from the beginning', () => {
    const state = play(emptyConversation, asked, opened, sources(0), token(1, 'a'), token(2, 'b'), sources(0, 2), token(1, 'n'))
    expect(content(state)).toBe('n')
  })

  it('shows the text before "Go on" once, although the stream begins with it', () => {
    const before = play(emptyConversation, {
      type: 'loaded',
      messages: [message('q', 'user', 'why'), message('a', 'assistant', 'First. ', { status: 'stopped' })],
      older: null,
    })
    const state = play(
      before,
      { type: 'asked', question: null, answer: message('b-temp', 'assistant', 'First. '), after: 'a' },
      { type: 'opened', runId: 'r2', questionId: 'q', answerId: 'b' },
      sources(0),
      token(1, 'First. '),
      token(2, 'Second.'),
    )
    expect(state.messages.map((each) => each.id)).toEqual(['q', 'b'])
    expect(content(state)).toBe('First. Second.')
  })

  it('replaces an edited question and all after it', () => {
    const before = play(emptyConversation, {
      type: 'loaded',
      messages: ['1', '2', '3', '4'].map((id, index) => message(id, index % 2 ? 'assistant' : 'user')),
      older: null,
    })
    const state = play(before, { ...asked, after: '3' } as Action)
    expect(state.messages.map((each) => each.id)).toEqual(['1', '2', 'q-temp', 'a-temp'])
  })

  it('brings everything back when the question was not accepted', () => {
    const before = [message('1', 'user')]
    const state = play({ ...emptyConversation, messages: before }, asked, { type: 'ask-failed', error: null, before })
    expect(state.messages).toEqual(before)
    expect(state.run).toBeNull()
  })
})

describe('the list of messages', () => {
  it('keeps older pages and the streaming answer when it is loaded again', () => {
    const state = play(
      { ...emptyConversation, older: 'cursor' },
      { type: 'loaded', messages: [message('2', 'user'), message('3', 'assistant')], older: 'c1' },
      { type: 'older-loaded', messages: [message('1', 'user')], older: null },
      { type: 'followed', runId: 'r', messageId: '3' },
      sources(0),
      token(1, 'live'),
      { type: 'loaded', messages: [message('2', 'user'), message('3', 'assistant', 'old')], older: 'c1' },
    )
    expect(state.messages.map((each) => each.id)).toEqual(['1', '2', '3'])
    expect(content(state)).toBe('live')
    expect(state.older).toBeNull()
  })
})

describe('events', () => {
  it('become actions; unknown and broken ones are left out', () => {
    expect(toAction({ id: '3', event: 'token', data: '{"text":"a"}' }, 0)).toEqual(token(3, 'a'))
    expect(toAction({ id: null, event: 'token', data: '{"text":"a"}' }, 7)).toEqual(token(7, 'a'))
    expect(toAction({ id: '1', event: 'future', data: '{}' }, 0)).toBeNull()
    expect(toAction({ id: '1', event: 'token', data: '{' }, 0)).toBeNull()
  })

  it('are joined where only tokens follow each other', () => {
    expect(joinTokens([token(1, 'a'), token(2, 'b'), sources(3), token(4, 'c')])).toEqual([token(2, 'ab'), sources(3), token(4, 'c')])
  })
})
