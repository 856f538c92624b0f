import { useState } from 'react'
import { Button, IconButton } from '@/components/Button'
import { config, reach } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { storage } from '@/lib/storage'
import { useStore } from '@/lib/store'
import styles from './App.module.css'

/** Says when the server cannot be reached or the sign-in has ended, and when there is none at all. */
export function StatusBar() {
  const t = useT()
  const { online, expired } = useStore(reach)
  const known = useStore(config) !== null
  return (
    <>
      <div role="alert">
        {(!online || expired) && (
          <div className={styles.status} data-testid="status-bar">
            <span>{t(!online || !expired ? 'bar.offline' : known ? 'bar.expired' : 'bar.unknown')}</span>
            {expired && online && <Button onClick={() => location.reload()}>{t('app.reload')}</Button>}
          </div>
        )}
      </div>
      <SharedNote />
    </>
  )
}

/** Where nobody signs in, people should know it before they write. Read once, it can be put away. */
function SharedNote() {
  const t = useT()
  const shared = useStore(config)?.auth_mode === 'none'
  const [read, setRead] = useState(() => storage.read('shared-note') !== null)
  if (!shared || read) return null
  const putAway = () => {
    storage.write('shared-note', 'read')
    setRead(true)
  }
  return (
    <div className={styles.note} role="status" data-testid="shared-note">
      <span>{t('bar.shared')}</span>
      <IconButton icon="close" size={14} label={t('app.close')} onClick={putAway} />
    </div>
  )
}
