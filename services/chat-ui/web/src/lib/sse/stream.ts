import { request } from '@/lib/api/client'
import { EventStreamParser, type ServerEvent } from './parser'

/** Reads one response to its end. Resolves when the server closes it, rejects when it breaks. */
export async function readEvents(response: Response, onEvent: (event: ServerEvent) => void): Promise<void> {
  if (!response.body) return
  const parser = new EventStreamParser()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    for (const event of parser.push(value)) onEvent(event)
  }
}

export function openEvents(path: string, signal: AbortSignal, lastId: string | null): Promise<Response> {
  const headers: Record<string, string> = { accept: 'text/event-stream' }
  if (lastId !== null) headers['last-event-id'] = lastId
  return request(path, { headers, signal, cache: 'no-store' })
}

/** Waits, shorter when the browser says that the network is back. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      removeEventListener('online', finish)
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, milliseconds)
    addEventListener('online', finish)
    signal?.addEventListener('abort', finish)
  })
}

export const backoff = (attempt: number): number => Math.min(500 * 2 ** attempt, 8000)

/** A feed that is kept open: reopened after every break until aborted. `onOpen` tells that it is live again. */
export async function keepOpen(
  path: string,
  signal: AbortSignal,
  handlers: { onEvent: (event: ServerEvent) => void; onOpen?: () => void; onBreak?: () => void },
): Promise<void> {
  let attempt = 0
  let lastId: string | null = null
  while (!signal.aborted) {
    try {
      const response = await openEvents(path, signal, lastId)
      attempt = 0
      handlers.onOpen?.()
      await readEvents(response, (event) => {
        lastId = event.id ?? lastId
        handlers.onEvent(event)
      })
    } catch {
      // Whatever broke it, the answer is the same: wait a little and open it again.
    }
    if (signal.aborted) return
    handlers.onBreak?.()
    await pause(backoff(attempt++), signal)
  }
}
