import type { Message, MessageError, Source } from '@/lib/api/types'

export type Phase = 'searching' | 'reading' | 'writing'

export interface Run {
  /** null until the server has answered the question with its headers */
  id: string | null
  messageId: string
  phase: Phase
  /** sequence number of the last event that counted; resuming and replaying start after it */
  seq: number
  attempt: number
  reconnecting: boolean
  stopping: boolean
  /** an attempt began: its first token takes the place of the text that stands there */
  fresh: boolean
}

export interface Conversation {
  status: 'idle' | 'loading' | 'ready' | 'failed' | 'gone'
  messages: readonly Message[]
  /** cursor of the page before the oldest message */
  older: string | null
  loadingOlder: boolean
  run: Run | null
}

export const emptyConversation: Conversation = {
  status: 'idle',
  messages: [],
  older: null,
  loadingOlder: false,
  run: null,
}

export type Action =
  | { type: 'loading' }
  | { type: 'loaded'; messages: Message[]; older: string | null }
  | { type: 'load-failed'; gone: boolean }
  | { type: 'older-loading' }
  | { type: 'older-loaded'; messages: Message[]; older: string | null }
  | { type: 'asked'; question: Message | null; answer: Message; after: string | null }
  | { type: 'opened'; runId: string; questionId: string | null; answerId: string }
  | { type: 'ask-failed'; error: MessageError | null; before: readonly Message[] }
  | { type: 'followed'; runId: string; messageId: string }
  | { type: 'sources'; seq: number; attempt: number; sources: Source[] }
  | { type: 'token'; seq: number; text: string }
  | { type: 'finished'; seq: number; message: Message }
  | { type: 'lost' }
  | { type: 'stopping' }
  | { type: 'feedback'; message: Message }

export function reduce(state: Conversation, action: Action): Conversation {
  switch (action.type) {
    case 'loading':
      return { ...state, status: state.messages.length > 0 ? state.status : 'loading' }
    case 'load-failed':
      return { ...state, status: action.gone ? 'gone' : state.messages.length > 0 ? 'ready' : 'failed' }
    case 'loaded':
      return { ...state, status: 'ready', ...merged(state, action.messages, action.older) }
    case 'older-loading':
      return { ...state, loadingOlder: true }
    case 'older-loaded':
      return {
        ...state,
        loadingOlder: false,
        older: action.older,
        messages: [...without(action.messages, state.messages), ...state.messages],
      }
    case 'asked':
      return asked(state, action)
    case 'opened':
      return opened(state, action)
    case 'ask-failed':
      return { ...state, messages: action.before, run: null }
    case 'followed':
      return { ...state, run: newRun(action.messageId, action.runId) }
    case 'feedback':
      return { ...state, messages: replace(state.messages, action.message.id, () => action.message) }
    case 'lost':
      return state.run ? { ...state, run: { ...state.run, reconnecting: true } } : state
    case 'stopping':
      return state.run ? { ...state, run: { ...state.run, stopping: true } } : state
    default:
      return streamed(state, action)
  }
}

type StreamAction = Extract<Action, { seq: number }>

/** Events of a run. One that was seen already (a replay after reconnecting) changes nothing. */
function streamed(state: Conversation, action: StreamAction): Conversation {
  const { run } = state
  if (!run) return state
  if (action.seq <= run.seq && !(action.type === 'sources' && action.attempt > run.attempt)) {
    return run.reconnecting ? { ...state, run: { ...run, reconnecting: false } } : state
  }
  const live = { ...run, seq: action.seq, reconnecting: false }
  if (action.type === 'sources') {
    const messages = replace(state.messages, run.messageId, (message) => ({
      ...message,
      sources: action.sources,
    }))
    return { ...state, messages, run: { ...live, phase: 'reading', attempt: action.attempt, fresh: true } }
  }
  if (action.type === 'token') {
    const messages = replace(state.messages, run.messageId, (message) => ({
      ...message,
      content: run.fresh ? action.text : message.content + action.text,
    }))
    return { ...state, messages, run: { ...live, phase: 'writing', fresh: false } }
  }
  return { ...state, messages: replace(state.messages, run.messageId, () => action.message), run: null }
}

function asked(state: Conversation, action: Extract<Action, { type: 'asked' }>): Conversation {
  const cut = action.after === null ? -1 : state.messages.findIndex((message) => message.id === action.after)
  const kept = cut < 0 ? state.messages : state.messages.slice(0, cut)
  return {
    ...state,
    status: 'ready',
    messages: [...kept, ...(action.question ? [action.question] : []), action.answer],
    run: newRun(action.answer.id, null),
  }
}

function opened(state: Conversation, action: Extract<Action, { type: 'opened' }>): Conversation {
  if (!state.run) return state
  const temporary = state.run.messageId
  const at = state.messages.findIndex((message) => message.id === temporary)
  const messages = state.messages.map((message, index) => {
    if (index === at) return { ...message, id: action.answerId, run_id: action.runId }
    if (index === at - 1 && message.role === 'user' && action.questionId) return { ...message, id: action.questionId }
    return message
  })
  return { ...state, messages, run: { ...state.run, id: action.runId, messageId: action.answerId } }
}

/** A fresh first page; what was streamed since, and older pages, stay. */
function merged(state: Conversation, fresh: Message[], older: string | null) {
  const first = fresh[0]
  const overlap = first ? state.messages.findIndex((message) => message.id === first.id) : -1
  const before = overlap > 0 ? state.messages.slice(0, overlap) : []
  const { run } = state
  const streaming = run ? state.messages.find((message) => message.id === run.messageId) : undefined
  const page = streaming ? fresh.map((message) => (message.id === streaming.id ? streaming : message)) : fresh
  return { messages: [...before, ...page], older: overlap > 0 ? state.older : older }
}

function newRun(messageId: string, id: string | null): Run {
  return { id, messageId, phase: 'searching', seq: -1, attempt: 0, reconnecting: false, stopping: false, fresh: true }
}

function replace(messages: readonly Message[], id: string, change: (message: Message) => Message): Message[] {
  return messages.map((message) => (message.id === id ? change(message) : message))
}

function without(messages: readonly Message[], known: readonly Message[]): Message[] {
  const ids = new Set(known.map((message) => message.id))
  return messages.filter((message) => !ids.has(message.id))
}
