import type { ReactNode } from 'react'
import { Button, IconButton } from '@/components/Button'
import type { Collection } from '@/lib/api/types'
import { collectionLabel } from '@/lib/data/names'
import { useT } from '@/lib/i18n'
import { CollectionPicker } from './CollectionPicker'
import styles from './DocumentsPage.module.css'

export const FILTERS = ['all', 'busy', 'indexed', 'failed'] as const
export type Filter = (typeof FILTERS)[number]

interface DocumentsHeadProps {
  name: string
  collection: Collection | null
  find: string
  onFind: (text: string) => void
  filter: Filter
  onFilter: (filter: Filter) => void
  onCollection: (name: string) => void
  onNew: () => void
  onSettings: () => void
  onAsk: () => void
  children: ReactNode
}

export function DocumentsHead(props: DocumentsHeadProps) {
  const { name, collection, find, onFind, filter, onFilter, onCollection, onNew, onSettings, onAsk, children } = props
  const t = useT()
  return (
    <header className={styles.head}>
      <div className={styles.titleRow}>
        <div className={styles.title}>
          <h1 id="documents-title">{collectionLabel(name, t)}</h1>
          <p>
            <code>{name}</code>
            {collection && (
              <>
                {' · '}
                {t('docs.count', { n: collection.document_count })}
                {' · '}
                {t('docs.chunkCount', { n: collection.chunk_count })}
              </>
            )}
          </p>
          {collection?.description && <p>{collection.description}</p>}
        </div>
        <div className={styles.actions}>
          <Button onClick={onAsk}>{t('docs.ask')}</Button>
          {children}
          <IconButton icon="gear" label={t('collection.settings')} className={styles.gear} aria-haspopup="dialog" onClick={onSettings} />
        </div>
      </div>
      <div className={styles.tools}>
        <CollectionPicker one value={name} onChange={(next) => next && onCollection(next)} onNew={onNew} />
        <input type="search" aria-label={t('docs.find')} placeholder={t('docs.find')} value={find} onChange={(event) => onFind(event.target.value)} />
        <div role="group" aria-label={t('docs.filter')} className={styles.filters}>
          {FILTERS.map((value) => (
            <button key={value} type="button" aria-pressed={filter === value} onClick={() => onFilter(value)}>
              {t(`docs.filter.${value}`)}
            </button>
          ))}
        </div>
      </div>
    </header>
  )
}
