import { memo } from 'react'
import { Button, IconButton } from '@/components/Button'
import { Menu, type MenuItem } from '@/components/Menu'
import { api } from '@/lib/api/endpoints'
import type { Document } from '@/lib/api/types'
import { useFormat, useT } from '@/lib/i18n'
import { reasonOf } from './reasons'
import styles from './DocumentTable.module.css'

interface TableProps {
  documents: readonly Document[]
  onRetry: (document: Document) => void
  onDelete: (document: Document) => void
}

/** A table; on a phone the style sheet lays each row out as a card. */
export function DocumentTable({ documents, onRetry, onDelete }: TableProps) {
  const t = useT()
  return (
    <table className={styles.table} data-testid="documents">
      <thead>
        <tr>
          <th scope="col">{t('docs.col.title')}</th>
          <th scope="col">{t('docs.col.type')}</th>
          <th scope="col" className={styles.number}>
            {t('docs.col.size')}
          </th>
          <th scope="col">{t('docs.col.status')}</th>
          <th scope="col" className={`${styles.number} ${styles.chunksHead}`}>
            {t('docs.col.chunks')}
          </th>
          <th scope="col">{t('docs.col.updated')}</th>
          <th scope="col">
            <span className="sr-only">{t('docs.col.actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {documents.map((document) => (
          <Row key={document.id} document={document} onRetry={onRetry} onDelete={onDelete} />
        ))}
      </tbody>
    </table>
  )
}

interface RowProps {
  document: Document
  onRetry: (document: Document) => void
  onDelete: (document: Document) => void
}

const Row = memo(function Row({ document, onRetry, onDelete }: RowProps) {
  const t = useT()
  const format = useFormat()
  const failed = document.status === 'failed'
  const items: MenuItem[] = [
    { key: 'open', label: t('docs.open'), icon: 'external', run: () => void window.open(api.contentUrl(document.id), '_blank', 'noopener') },
    ...(failed ? [{ key: 'retry', label: t('app.retry'), icon: 'retry' as const, run: () => onRetry(document) }] : []),
    { key: 'delete', label: t('app.delete'), icon: 'trash', bad: true, run: () => onDelete(document) },
  ]
  return (
    <tr data-status={document.status}>
      <td className={styles.title} dir="auto">
        <a href={api.contentUrl(document.id)} target="_blank" rel="noopener">
          {document.title}
        </a>
      </td>
      <td className={styles.type}>{kindOf(document)}</td>
      <td className={styles.number}>{format.bytes(document.size_bytes)}</td>
      <td className={styles.status}>
        <Status document={document} onRetry={onRetry} />
      </td>
      <td className={`${styles.number} ${styles.chunks}`}>{document.chunk_count > 0 ? format.number(document.chunk_count) : '–'}</td>
      <td className={styles.updated}>
        <time dateTime={document.updated_at} title={format.moment(document.updated_at)}>
          {format.when(document.updated_at)}
        </time>
      </td>
      <td className={styles.menu}>
        <Menu align="end" trigger={<IconButton icon="more" size={16} label={t('docs.actions', { title: document.title })} />} items={items} />
      </td>
    </tr>
  )
})

function Status({ document, onRetry }: { document: Document; onRetry: (document: Document) => void }) {
  const t = useT()
  const format = useFormat()
  const { status, progress, error } = document
  if (status === 'failed') {
    return (
      <div className={styles.failed}>
        <b>{t('docs.status.failed')}</b>
        <span>{reasonOf(error, t, format)}</span>
        <Button tone="quiet" className={styles.retry} onClick={() => onRetry(document)}>
          {t('app.retry')}
        </Button>
      </div>
    )
  }
  return (
    <span className={styles.state} data-status={status}>
      <i aria-hidden="true" />
      {t(`docs.status.${status}`)}
      {status === 'embedding' && <progress aria-label={document.title} max={1} value={progress} />}
    </span>
  )
}

const KINDS: Record<string, string> = {
  'application/pdf': 'PDF',
  'text/plain': 'TXT',
  'text/markdown': 'Markdown',
  'text/html': 'HTML',
  'text/x-rst': 'RST',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'DOCX',
}

/** Names of formats are the same in every language. */
function kindOf({ media_type, title }: Document): string {
  const known = KINDS[media_type.split(';')[0]?.trim() ?? '']
  return known ?? (/\.([a-z0-9]{1,8})$/i.exec(title)?.[1]?.toUpperCase() || media_type)
}
