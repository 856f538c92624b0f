import { Button, IconButton } from '@/components/Button'
import { useFormat, useT } from '@/lib/i18n'
import { useStore } from '@/lib/store'
import { isFinal, reasonOf } from './reasons'
import { dismissUpload, retryUpload, uploads, type Upload } from './uploads'
import styles from './UploadChips.module.css'

const SHOWN = 3

/** What is being added: how far it is, or why it failed. Failures come first and stay. */
export function UploadChips() {
  const t = useT()
  const list = useStore(uploads)
  if (list.length === 0) return null
  const order = [...list].sort((a, b) => Number(b.status === 'failed') - Number(a.status === 'failed'))
  const rest = order.length - SHOWN
  return (
    <ul className={styles.chips} aria-label={t('upload.label')}>
      {order.slice(0, SHOWN).map((upload) => (
        <li key={upload.key}>
          <Chip upload={upload} />
        </li>
      ))}
      {rest > 0 && <li className={styles.rest}>{t('upload.more', { n: rest })}</li>}
    </ul>
  )
}

function Chip({ upload }: { upload: Upload }) {
  const t = useT()
  const format = useFormat()
  const { status, title, progress } = upload
  const name = title.split('/').at(-1) ?? title
  if (status === 'failed') {
    const reason = reasonOf(upload.error, t, format)
    return (
      <div className={`${styles.chip} ${styles.failed}`} data-testid="upload-chip" data-status={status}>
        <span className={styles.name} title={`${title}: ${reason}`}>
          <b>{name}</b> {reason}
        </span>
        {!isFinal(upload.error) && (
          <Button tone="quiet" className={styles.retry} onClick={() => void retryUpload(upload)}>
            {t('app.retry')}
          </Button>
        )}
        <IconButton icon="close" size={13} label={t('upload.dismiss', { title })} onClick={() => dismissUpload(upload.key)} />
      </div>
    )
  }
  const counted = status === 'uploading' || status === 'embedding'
  const word =
    status === 'waiting' ? t('upload.waiting')
    : status === 'indexed' && upload.duplicate ? t('upload.duplicate')
    : status === 'uploading' ? format.percent(progress)
    : t(`docs.status.${status}`)
  return (
    <div className={styles.chip} data-testid="upload-chip" data-status={status}>
      <span className={styles.name} title={title}>
        {name}
      </span>
      {counted && <progress aria-label={title} max={1} value={progress} />}
      <span className={status === 'indexed' ? styles.done : undefined}>{word}</span>
    </div>
  )
}
