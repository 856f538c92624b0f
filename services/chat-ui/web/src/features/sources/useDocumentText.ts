import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError } from '@/lib/api/client'
import { api } from '@/lib/api/endpoints'
import type { Document, Span } from '@/lib/api/types'

const AROUND = 3000
const MORE = 6000

export interface TextWindow {
  documentId: string
  /** code point offsets of what is loaded */
  start: number
  end: number
  total: number
  text: string
}

export type TextState =
  | { status: 'loading' }
  | { status: 'failed'; gone: boolean }
  | { status: 'ready'; window: TextWindow; document: Document | null }

/** The text around a passage; more is loaded at either end when it is scrolled to. */
export function useDocumentText(documentId: string, passage: Span) {
  const [state, setState] = useState<TextState>({ status: 'loading' })
  const current = useRef<TextState>(state)
  const busy = useRef(false)
  const set = useCallback((next: TextState) => {
    current.current = next
    setState(next)
  }, [])

  const { start, end } = passage
  useEffect(() => {
    const known = current.current
    const inWindow =
      known.status === 'ready' &&
      known.window.documentId === documentId &&
      known.window.start <= start &&
      known.window.end >= end
    if (inWindow) return
    const controller = new AbortController()
    set({ status: 'loading' })
    const load = async () => {
      const [part, document] = await Promise.all([
        api.documentText(documentId, Math.max(0, start - AROUND), end + AROUND, controller.signal),
        api.document(documentId, controller.signal).catch(() => null),
      ])
      set({ status: 'ready', window: { documentId, ...part }, document })
    }
    load().catch((error: unknown) => {
      if (controller.signal.aborted) return
      set({ status: 'failed', gone: error instanceof ApiError && error.status === 404 })
    })
    return () => controller.abort()
  }, [documentId, start, end, set])

  const more = useCallback(
    async (where: 'before' | 'after') => {
      const known = current.current
      if (known.status !== 'ready' || busy.current) return
      const { window } = known
      const from = where === 'before' ? Math.max(0, window.start - MORE) : window.end
      const to = where === 'before' ? window.start : Math.min(window.total, window.end + MORE)
      if (to <= from) return
      busy.current = true
      try {
        const part = await api.documentText(window.documentId, from, to, new AbortController().signal)
        if (current.current !== known) return
        const text = where === 'before' ? part.text + window.text : window.text + part.text
        const grown = { ...window, text, start: Math.min(from, window.start), end: Math.max(to, window.end) }
        set({ ...known, window: grown })
      } catch {
        // What is shown stays; scrolling there again asks again.
      } finally {
        busy.current = false
      }
    },
    [set],
  )

  return { state, more }
}
