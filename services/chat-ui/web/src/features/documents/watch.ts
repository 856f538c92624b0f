import { api } from '@/lib/api/endpoints'
import type { Document } from '@/lib/api/types'
import { openEvents, pause, readEvents } from '@/lib/sse/stream'

type Listener = (change: { document: Document } | { deleted: string }) => void

const listeners = new Set<Listener>()
const running = new Map<string, AbortController>()
/** how long a feed stays open when nobody asked for it again */
const IDLE_MS = 120_000
const POLL_MS = 3000

export function onDocumentChange(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const tell: Listener = (change) => {
  for (const listener of listeners) listener(change)
}

const idle = new Map<string, ReturnType<typeof setTimeout>>()

/** Opens the feed of a collection, or keeps it open longer. */
export function watchCollection(name: string): void {
  clearTimeout(idle.get(name))
  idle.set(
    name,
    setTimeout(() => unwatch(name), IDLE_MS),
  )
  if (running.has(name)) return
  const controller = new AbortController()
  running.set(name, controller)
  void follow(name, controller.signal)
}

function unwatch(name: string): void {
  running.get(name)?.abort()
  running.delete(name)
}

/** Events while they come; reading the list now and then while they do not. */
async function follow(name: string, signal: AbortSignal): Promise<void> {
  const path = `/api/collections/${encodeURIComponent(name)}/events`
  while (!signal.aborted) {
    try {
      const response = await openEvents(path, signal, null)
      await poll(name) // whatever happened before the feed was open
      await readEvents(response, ({ event, data }) => {
        const body = JSON.parse(data) as Document
        if (event === 'document') tell({ document: body })
        if (event === 'deleted') tell({ deleted: body.id })
      })
    } catch {
      // Opened again below.
    }
    if (signal.aborted) return
    await poll(name)
    await pause(POLL_MS, signal)
  }
}

async function poll(name: string): Promise<void> {
  const page = await api.documents(name, { limit: 100 }).catch(() => null)
  for (const document of page?.items ?? []) tell({ document })
}
