import type { Message, Source } from '@/lib/api/types'
import type { ServerEvent } from '@/lib/sse/parser'
import type { Action } from './reducer'

/** A server-sent event as an action; an unknown kind is null, so that newer servers may add some. */
export function toAction(event: ServerEvent, fallbackSeq: number): Action | null {
  const id = event.id === null ? Number.NaN : Number(event.id)
  const seq = Number.isFinite(id) ? id : fallbackSeq
  let data: unknown
  try {
    data = JSON.parse(event.data)
  } catch {
    return null
  }
  if (event.event === 'sources') {
    const { attempt, sources } = data as { attempt?: number; sources: Source[] }
    return { type: 'sources', seq, attempt: attempt ?? 1, sources }
  }
  if (event.event === 'token') return { type: 'token', seq, text: (data as { text: string }).text }
  if (event.event === 'done' || event.event === 'error') {
    return { type: 'finished', seq, message: (data as { message: Message }).message }
  }
  return null
}

/** Joins neighbouring tokens: one change of the page per frame, however fast they come. */
export function joinTokens(actions: readonly Action[]): Action[] {
  const joined: Action[] = []
  for (const action of actions) {
    const last = joined.at(-1)
    if (action.type === 'token' && last?.type === 'token' && action.seq > last.seq) {
      joined[joined.length - 1] = { type: 'token', seq: action.seq, text: last.text + action.text }
    } else joined.push(action)
  }
  return joined
}
