import { useState } from 'react'
import { Button } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { api } from '@/lib/api/endpoints'
import { showToast } from '@/lib/data/live'
import { config, refreshCollections } from '@/lib/data/server'
import { useFormat, useT } from '@/lib/i18n'
import { useStore } from '@/lib/store'
import { watchCollection } from './watch'
import styles from './FirstVisit.module.css'

interface FirstVisitProps {
  /** documents are there already, but none is indexed yet */
  busy: boolean
  onChoose: (kind: 'files' | 'folder') => void
}

export function FirstVisit({ busy, onChoose }: FirstVisitProps) {
  const t = useT()
  const format = useFormat()
  const server = useStore(config)
  const [trying, setTrying] = useState(false)
  const samples = async () => {
    setTrying(true)
    try {
      const { collection } = await api.ingestSamples()
      watchCollection(collection) // its events make the counts, and so this page, move on
      refreshCollections()
      showToast(t('start.samplesBusy'))
    } catch (error) {
      setTrying(false)
      showToast(error instanceof Error ? error.message : t('upload.why.unknown'), { tone: 'bad' })
    }
  }
  return (
    <>
      <h1 className={styles.sentence}>{t(busy ? 'start.indexing' : 'start.first')}</h1>
      <div className={styles.drop} data-testid="drop-area">
        <Icon name="folder" size={26} />
        <p>{t('start.drop')}</p>
        <div className={styles.row}>
          <Button tone="primary" onClick={() => onChoose('files')}>
            {t('start.choose')}
          </Button>
          <Button onClick={() => onChoose('folder')}>{t('start.chooseFolder')}</Button>
        </div>
        {server && (
          <small>
            {t('start.formats', { formats: server.formats.join(' '), size: format.bytes(server.limits.max_upload_bytes) })}
          </small>
        )}
      </div>
      {server?.samples && (
        <Button tone="quiet" disabled={trying} onClick={() => void samples()}>
          {t(trying ? 'start.samplesBusy' : 'start.samples')}
        </Button>
      )}
    </>
  )
}
