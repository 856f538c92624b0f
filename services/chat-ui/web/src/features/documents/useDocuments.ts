import { useCallback, useEffect, useState } from 'react'
import { ApiError } from '@/lib/api/client'
import { api } from '@/lib/api/endpoints'
import type { Document } from '@/lib/api/types'
import { onDocumentChange, watchCollection } from './watch'

const PAGE = 100

interface Documents {
  status: 'loading' | 'ready' | 'failed' | 'gone'
  items: readonly Document[]
  cursor: string | null
}

const start: Documents = { status: 'loading', items: [], cursor: null }

/** The documents of a collection, kept up to date by its feed. */
export function useDocuments(collection: string) {
  const [state, setState] = useState<Documents & { of: string }>({ ...start, of: collection })
  const current = state.of === collection ? state : { ...start, of: collection }

  const load = useCallback(async () => {
    try {
      const page = await api.documents(collection, { limit: PAGE })
      setState({ of: collection, status: 'ready', items: page.items, cursor: page.next_cursor })
    } catch (error) {
      const gone = error instanceof ApiError && error.status === 404
      setState({ ...start, of: collection, status: gone ? 'gone' : 'failed' })
    }
  }, [collection])

  const { cursor } = current
  const more = useCallback(async () => {
    if (!cursor) return
    const page = await api.documents(collection, { limit: PAGE, cursor }).catch(() => null)
    if (!page) return
    setState((now) => {
      if (now.of !== collection) return now
      const known = new Set(now.items.map((item) => item.id))
      return { ...now, items: [...now.items, ...page.items.filter((item) => !known.has(item.id))], cursor: page.next_cursor }
    })
  }, [collection, cursor])

  const restore = useCallback((document: Document) => put(setState, document), [])
  const hide = useCallback((id: string) => drop(setState, id), [])

  useEffect(() => {
    void load()
    watchCollection(collection)
    const keep = setInterval(() => watchCollection(collection), 60_000)
    const stop = onDocumentChange((change) => {
      if ('deleted' in change) drop(setState, change.deleted)
      else if (change.document.collection === collection) put(setState, change.document)
    })
    return () => {
      clearInterval(keep)
      stop()
    }
  }, [collection, load])

  return { ...current, load, more, hide, restore }
}

type SetState = (change: (now: Documents & { of: string }) => Documents & { of: string }) => void

/** Deleted with the undo still open: a late event must not bring it back. */
const hidden = new Set<string>()

function put(set: SetState, document: Document): void {
  if (hidden.has(document.id)) return
  set((now) => {
    if (now.of !== document.collection) return now
    const known = now.items.some((item) => item.id === document.id)
    const items = known ? now.items.map((item) => (item.id === document.id ? document : item)) : [document, ...now.items]
    return { ...now, items }
  })
}

function drop(set: SetState, id: string): void {
  set((now) => ({ ...now, items: now.items.filter((item) => item.id !== id) }))
}

export const hideDocument = (id: string) => hidden.add(id)
export const unhideDocument = (id: string) => hidden.delete(id)
