import { ApiError } from '@/lib/api/client'
import { api } from '@/lib/api/endpoints'
import type { Session, SessionEvent } from '@/lib/api/types'
import { keepOpen } from '@/lib/sse/stream'
import { Store } from '@/lib/store'

interface Sessions {
  status: 'loading' | 'ready' | 'failed'
  items: readonly Session[]
  cursor: string | null
}

export const sessions = new Store<Sessions>({ status: 'loading', items: [], cursor: null })

/** Deleted with the undo still open: not shown, whatever the server lists. */
const hidden = new Set<string>()

const visible = (items: readonly Session[]) => items.filter((session) => !hidden.has(session.id))

export function upsertSession(session: Session): void {
  if (hidden.has(session.id)) return
  sessions.set((state) => ({ ...state, items: [session, ...state.items.filter((item) => item.id !== session.id)] }))
}

export function removeSession(id: string): void {
  sessions.set((state) => ({ ...state, items: state.items.filter((item) => item.id !== id) }))
}

export function hideSession(id: string): void {
  hidden.add(id)
  removeSession(id)
}

export function showSession(session: Session): void {
  hidden.delete(session.id)
  upsertSession(session)
}

export async function loadSessions(): Promise<void> {
  try {
    const page = await api.sessions({ limit: 60 })
    sessions.set((state) => {
      const first = new Set(page.items.map((item) => item.id))
      const last = page.items.at(-1)?.updated_at ?? ''
      const older = page.next_cursor ? state.items.filter((item) => !first.has(item.id) && item.updated_at < last) : []
      return { status: 'ready', items: visible([...page.items, ...older]), cursor: older.length > 0 ? state.cursor : page.next_cursor }
    })
  } catch {
    sessions.set((state) => (state.items.length > 0 ? state : { ...state, status: 'failed' }))
  }
}

export async function loadOlderSessions(): Promise<void> {
  const { cursor } = sessions.get()
  if (!cursor) return
  const page = await api.sessions({ limit: 60, cursor }).catch(() => null)
  if (!page) return
  sessions.set((state) => {
    const known = new Set(state.items.map((item) => item.id))
    return { ...state, items: visible([...state.items, ...page.items.filter((item) => !known.has(item.id))]), cursor: page.next_cursor }
  })
}

/** One session again; a session that is gone leaves the list. */
export async function refreshSession(id: string): Promise<void> {
  try {
    upsertSession(await api.session(id))
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) removeSession(id)
  }
}

/**
 * Follows all own chats while the tab is seen. A hidden tab lets go of its connection
 * (browsers allow six for each host) and reads the list again when it is shown.
 */
export function followSessions(onChange: (event: SessionEvent) => void, onShown: () => void): () => void {
  let controller: AbortController | null = null
  const open = () => {
    if (document.hidden) {
      controller?.abort()
      controller = null
      return
    }
    if (controller) return
    controller = new AbortController()
    void keepOpen('/api/events', controller.signal, {
      onOpen: () => {
        void loadSessions()
        onShown()
      },
      onEvent: ({ event, data }) => {
        if (event !== 'session') return
        const change = JSON.parse(data) as SessionEvent
        if (change.deleted) removeSession(change.id)
        else void refreshSession(change.id)
        onChange(change)
      },
    })
  }
  void loadSessions()
  open()
  document.addEventListener('visibilitychange', open)
  return () => {
    document.removeEventListener('visibilitychange', open)
    controller?.abort()
  }
}
