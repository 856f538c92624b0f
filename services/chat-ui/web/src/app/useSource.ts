import { useCallback, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { conversation } from '@/features/chat/model/store'
import { evidenceOf } from '@/features/sources/evidence'
import type { Message } from '@/lib/api/types'

interface Opened {
  sessionId: string
  messageId: string
  n: number
  count: number
}

const nothing = () => () => undefined

/** Which source is open. It follows its answer: while that is written, and when its citations arrive. */
export function useSource(sessionId: string | null) {
  const [opened, setOpened] = useState<Opened | null>(null)
  const from = useRef<Element | null>(null)
  const here = opened?.sessionId === sessionId ? opened : null
  const store = here ? conversation(here.sessionId) : null
  const state = useSyncExternalStore(store?.subscribe ?? nothing, () => store?.get() ?? null)
  const message = here ? (state?.messages.find((candidate) => candidate.id === here.messageId) ?? null) : null
  const n = here?.n ?? 0
  const evidence = useMemo(() => (message ? evidenceOf(message, n) : []), [message, n])
  const current = evidence.find((entry) => entry.n === n) ?? null

  const open = useCallback(
    (target: Message, number: number) => {
      if (!document.activeElement?.closest('[data-testid=source-panel]')) from.current = document.activeElement
      setOpened((before) => ({ sessionId: target.session_id, messageId: target.id, n: number, count: (before?.count ?? 0) + 1 }))
    },
    [],
  )
  const select = useCallback((number: number) => setOpened((before) => before && { ...before, n: number }), [])
  const close = useCallback(() => {
    setOpened(null)
    const back = from.current
    if (back instanceof HTMLElement && back.isConnected) requestAnimationFrame(() => back.focus({ preventScroll: true }))
  }, [])

  /** The next or previous source; with none open, the first of the newest answer that has any. */
  const walk = useCallback(
    (step: 1 | -1) => {
      if (current) {
        const next = evidence[evidence.indexOf(current) + step]
        if (next) select(next.n)
        return
      }
      const messages = sessionId === null ? [] : conversation(sessionId).get().messages
      const answer = messages.findLast((candidate) => candidate.citations.length > 0 || candidate.sources.length > 0)
      if (!answer) return
      const all = evidenceOf(answer, 0)
      const target = step === 1 ? all[0] : all.at(-1)
      if (target) open(answer, target.n)
    },
    [current, evidence, open, select, sessionId],
  )

  return { message, evidence, current, count: here?.count ?? 0, open, select, close, walk }
}
