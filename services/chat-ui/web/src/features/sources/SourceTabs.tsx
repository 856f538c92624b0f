import type { KeyboardEvent } from 'react'
import { IconButton } from '@/components/Button'
import { useT } from '@/lib/i18n'
import type { Evidence } from './evidence'
import styles from './SourcePanel.module.css'

interface SourceTabsProps {
  evidence: readonly Evidence[]
  current: Evidence
  onSelect: (n: number) => void
}

export function SourceTabs({ evidence, current, onSelect }: SourceTabsProps) {
  const t = useT()
  const at = evidence.findIndex((entry) => entry.n === current.n)
  const previous = evidence[at - 1]
  const next = evidence[at + 1]
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const target = event.key === 'ArrowRight' ? next : event.key === 'ArrowLeft' ? previous : undefined
    if (!target) return
    event.preventDefault()
    onSelect(target.n)
    document.getElementById(`source-tab-${target.n}`)?.focus()
  }
  return (
    <div className={styles.tabs}>
      <div role="tablist" aria-label={t('source.tabs')} tabIndex={-1} className={styles.tablist} onKeyDown={onKeyDown}>
        {evidence.map(({ n, title }) => {
          const selected = n === current.n
          return (
            <button
              key={n}
              id={`source-tab-${n}`}
              type="button"
              role="tab"
              aria-selected={selected}
              aria-controls="source-text"
              tabIndex={selected ? 0 : -1}
              onClick={() => onSelect(n)}
            >
              {selected ? t('source.passage', { n }) : n}
              <span className="sr-only">: {title}</span>
            </button>
          )
        })}
      </div>
      <IconButton icon="left" size={16} label={t('source.previous')} disabled={!previous} onClick={() => previous && onSelect(previous.n)} />
      <IconButton icon="right" size={16} label={t('source.next')} disabled={!next} onClick={() => next && onSelect(next.n)} />
    </div>
  )
}
