import { useSyncExternalStore } from 'react'

export type Route =
  | { name: 'new' }
  | { name: 'session'; id: string }
  | { name: 'documents'; collection: string }
  | { name: 'lost' }

export function parseRoute(path: string): Route {
  const [head, tail, ...more] = path.split('/').filter(Boolean).map(decode)
  if (head === undefined) return { name: 'new' }
  if (tail !== undefined && more.length === 0) {
    if (head === 's') return { name: 'session', id: tail }
    if (head === 'documents') return { name: 'documents', collection: tail }
  }
  return { name: 'lost' }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export const paths = {
  new: () => '/',
  session: (id: string) => `/s/${encodeURIComponent(id)}`,
  documents: (collection: string) => `/documents/${encodeURIComponent(collection)}`,
}

const CHANGE = 'pilothouse:route'

export function navigate(path: string, options: { replace?: boolean } = {}): void {
  if (path === location.pathname) return
  if (options.replace) history.replaceState(null, '', path)
  else history.pushState(null, '', path)
  dispatchEvent(new Event(CHANGE))
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener)
  addEventListener(CHANGE, listener)
  return () => {
    removeEventListener('popstate', listener)
    removeEventListener(CHANGE, listener)
  }
}

export const usePath = (): string => useSyncExternalStore(subscribe, () => location.pathname)
