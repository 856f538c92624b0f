import { lazy, memo, Suspense, use, useMemo } from 'react'
import type { Message } from '@/lib/api/types'
import { useT } from '@/lib/i18n'
import { Cites } from '@/features/chat/markdown/context'
import type { Run } from '@/features/chat/model/reducer'
import { AnswerFooter } from './AnswerFooter'
import { Actions } from './context'
import { AnswerNote, ErrorNote } from './Notes'
import { PhaseLine } from './PhaseLine'
import { SourceStrip } from './SourceStrip'
import styles from './Answer.module.css'

// A third of the page's code, needed only once there is an answer; main.tsx fetches it when idle.
const Markdown = lazy(() => import('@/features/chat/markdown/Markdown').then((module) => ({ default: module.Markdown })))

interface AnswerProps {
  message: Message
  /** the run, if it is this answer that is being made */
  run: Run | null
  busy: boolean
  openN: number | null
}

export const Answer = memo(function Answer({ message, run, busy, openN }: AnswerProps) {
  const t = useT()
  const { openSource } = use(Actions)
  const known = useMemo(
    () => [...new Set([...message.sources, ...message.citations].map((source) => source.n))],
    [message.sources, message.citations],
  )
  const cites = useMemo(() => {
    const titles = new Map([...message.sources, ...message.citations].map((source) => [source.n, source.title]))
    return { titleOf: (n: number) => titles.get(n) ?? null, openN, open: (n: number) => openSource(message, n) }
  }, [message, openN, openSource])
  const nothing = message.grounding?.status === 'nothing_indexed' || message.grounding?.status === 'nothing_relevant'
  const content = quotations(message)
  const unsupported = message.grounding?.status === 'answered' ? message.grounding.unsupported : NONE
  return (
    <article className={styles.answer} aria-label={t('chat.answer')} data-testid="answer" data-status={message.status}>
      <h2 className="sr-only">{t('chat.answer')}</h2>
      <AnswerNote message={message} />
      {content && !nothing && (
        <Cites value={cites}>
          <Suspense fallback={<p className={styles.plain}>{content}</p>}>
            <Markdown content={content} unsupported={unsupported} known={known} writing={run?.phase === 'writing'} />
          </Suspense>
        </Cites>
      )}
      {run && <PhaseLine run={run} message={message} />}
      {run?.phase === 'reading' && <SourceStrip message={message} />}
      {message.status === 'error' && <ErrorNote message={message} />}
      {!run && message.status !== 'running' && <AnswerFooter message={message} busy={busy} />}
    </article>
  )
})

const NONE: never[] = []

/** Without a model the answer is quotations; the sentence before them says what the note says. */
function quotations(message: Message): string {
  if (message.grounding?.status !== 'model_unavailable') return message.content
  const at = message.content.search(/^>/m)
  return at > 0 ? message.content.slice(at) : message.content
}
