import { useCallback, useMemo, useState } from 'react'
import { Button } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { Menu } from '@/components/Menu'
import { api } from '@/lib/api/endpoints'
import type { Collection, Document } from '@/lib/api/types'
import { showToast, withUndo } from '@/lib/data/live'
import { refreshCollections } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { DocumentsHead, type Filter } from './DocumentsHead'
import { DocumentTable } from './DocumentTable'
import { hideDocument, unhideDocument, useDocuments } from './useDocuments'
import styles from './DocumentsPage.module.css'

interface DocumentsPageProps {
  name: string
  collection: Collection | null
  onChoose: (kind: 'files' | 'folder') => void
  onCollection: (name: string) => void
  onNew: () => void
  onSettings: () => void
  onAsk: () => void
}

const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

const inFilter = (document: Document, filter: Filter) =>
  filter === 'all' || (filter === 'busy' ? !['indexed', 'failed'].includes(document.status) : document.status === filter)

export function DocumentsPage({ name, collection, onChoose, ...head }: DocumentsPageProps) {
  const t = useT()
  const { status, items, cursor, load, more, hide, restore } = useDocuments(name)
  const [find, setFind] = useState('')
  const [filter, setFilter] = useState<Filter>('all')
  const shown = useMemo(() => {
    const wanted = fold(find.trim())
    return items.filter((document) => inFilter(document, filter) && fold(document.title).includes(wanted))
  }, [items, find, filter])

  const remove = useCallback(
    (document: Document) => {
      hideDocument(document.id)
      hide(document.id)
      const back = () => {
        unhideDocument(document.id)
        restore(document)
      }
      const commit = () =>
        void api.deleteDocument(document.id).then(refreshCollections, () => {
          back()
          showToast(t('docs.deleteFailed', { title: document.title }), { tone: 'bad' })
        })
      withUndo(t('docs.deleted', { title: document.title }), t('app.undo'), commit, back)
    },
    [hide, restore, t],
  )

  const retry = useCallback(
    (document: Document) => {
      restore({ ...document, status: 'queued', progress: 0, error: null })
      api.retryDocument(document.id).catch((error: Error) => {
        restore(document)
        showToast(error.message, { tone: 'bad' })
      })
    },
    [restore],
  )

  return (
    <section className={styles.page} aria-labelledby="documents-title">
      <DocumentsHead name={name} collection={collection} find={find} onFind={setFind} filter={filter} onFilter={setFilter} {...head}>
        <Menu
          align="end"
          trigger={
            <Button tone="primary">
              <Icon name="plus" size={16} />
              {t('chat.upload')}
            </Button>
          }
          items={[
            { key: 'files', label: t('composer.files'), icon: 'file', run: () => onChoose('files') },
            { key: 'folder', label: t('composer.folder'), icon: 'folder', run: () => onChoose('folder') },
          ]}
        />
      </DocumentsHead>
      {status === 'loading' && <p className={styles.message}>{t('app.loading')}</p>}
      {status === 'gone' && <p className={styles.message}>{t('docs.noCollection')}</p>}
      {status === 'failed' && (
        <div className={styles.message}>
          <p>{t('docs.failed')}</p>
          <Button onClick={() => void load()}>{t('app.retry')}</Button>
        </div>
      )}
      {status === 'ready' && shown.length === 0 && (
        <p className={styles.message}>{t(items.length === 0 ? 'docs.empty' : 'docs.noMatch')}</p>
      )}
      {shown.length > 0 && <DocumentTable documents={shown} onRetry={retry} onDelete={remove} />}
      {cursor && (
        <div className={styles.more}>
          <Button onClick={() => void more()}>{t('docs.more')}</Button>
        </div>
      )}
    </section>
  )
}
