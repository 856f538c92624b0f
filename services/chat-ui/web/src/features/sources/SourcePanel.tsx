import { useEffect, useMemo, useRef, type ReactNode } from 'react'
import { Button, IconButton } from '@/components/Button'
import { api } from '@/lib/api/endpoints'
import type { Document } from '@/lib/api/types'
import { copyText } from '@/lib/clipboard'
import { collectionLabel, plainTitle } from '@/lib/data/names'
import { useFlash } from '@/lib/hooks'
import { useFormat, useT } from '@/lib/i18n'
import { hasChanged, type Evidence } from './evidence'
import { PassageView } from './PassageView'
import { SourceTabs } from './SourceTabs'
import { useDocumentText } from './useDocumentText'
import styles from './SourcePanel.module.css'

export interface SourcePanelProps {
  evidence: readonly Evidence[]
  current: Evidence
  onSelect: (n: number) => void
  onClose: () => void
  onWhy: () => void
  /** grows with every opening, so that opening the same source again brings the focus again */
  opened: number
  tools?: ReactNode
}

const PLAIN = /^text\/plain\b/

export function SourcePanel({ evidence, current, onSelect, onClose, onWhy, opened, tools }: SourcePanelProps) {
  const t = useT()
  const { state, more } = useDocumentText(current.documentId, current.passage)
  const document = state.status === 'ready' ? state.document : null
  const changed = useMemo(() => state.status === 'ready' && hasChanged(current, state.window), [state, current])
  const panel = useRef<HTMLDivElement>(null)
  useEffect(() => {
    panel.current?.querySelector<HTMLElement>('[role=tab][aria-selected=true]')?.focus({ preventScroll: true })
  }, [opened])
  return (
    <div ref={panel} className={styles.panel} data-testid="source-panel">
      <header className={styles.header}>
        <div>
          <h2 dir="auto">{plainTitle(current.title)}</h2>
          <Facts current={current} document={document} />
        </div>
        {tools}
        <IconButton icon="close" label={t('app.close')} onClick={onClose} />
      </header>
      <SourceTabs evidence={evidence} current={current} onSelect={onSelect} />
      <div role="tabpanel" id="source-text" aria-labelledby={`source-tab-${current.n}`} className={styles.body}>
        {state.status === 'ready' && !changed ? (
          <PassageView evidence={current} window={state.window} markdown={!PLAIN.test(document?.media_type ?? '')} onMore={(where) => void more(where)} />
        ) : state.status === 'loading' ? (
          <p className={styles.message} role="status">
            {t('app.loading')}
          </p>
        ) : (
          <div className={styles.message}>
            <p>{t(changed ? 'source.changed' : state.status === 'failed' && state.gone ? 'source.gone' : 'source.failed')}</p>
            {current.quotes.map((quote) => (
              <blockquote key={quote}>{quote}</blockquote>
            ))}
          </div>
        )}
      </div>
      <Footer current={current} document={document} onWhy={onWhy} />
    </div>
  )
}

function Facts({ current, document }: { current: Evidence; document: Document | null }) {
  const t = useT()
  const format = useFormat()
  const facts = [
    collectionLabel(current.collection, t),
    current.page ? t('source.page', { n: current.page }) : current.heading,
    document ? t('source.updated', { date: format.when(document.updated_at) }) : null,
  ]
  return <p className={styles.facts}>{facts.filter(Boolean).join(' · ')}</p>
}

function Footer({ current, document, onWhy }: { current: Evidence; document: Document | null; onWhy: () => void }) {
  const t = useT()
  const format = useFormat()
  const [copied, flash] = useFlash()
  const copy = async () => {
    const place = [plainTitle(current.title), current.page ? t('source.page', { n: current.page }) : null]
    const text = `“${current.quotes.join(' … ')}” (${place.filter(Boolean).join(', ')})`
    if (await copyText(text, t('source.copied'))) flash()
  }
  const isPdf = document?.media_type === 'application/pdf'
  return (
    <footer className={styles.footer}>
      <a href={api.contentUrl(current.documentId, isPdf ? current.page : null)} target="_blank" rel="noopener">
        {t('source.open')}
      </a>
      <Button tone="quiet" onClick={() => void copy()}>
        {copied ? t('app.copied') : t('source.copy')}
      </Button>
      {current.score !== null && (
        <Button tone="quiet" className={styles.score} title={t('why.title')} aria-haspopup="dialog" onClick={onWhy}>
          {t('source.score', { score: format.score(current.score) })}
        </Button>
      )}
    </footer>
  )
}
