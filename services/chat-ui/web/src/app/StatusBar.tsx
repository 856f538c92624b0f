import { Button } from '@/components/Button'
import { reach } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { useStore } from '@/lib/store'
import styles from './App.module.css'

/** Says when the server cannot be reached or the sign-in has ended. */
export function StatusBar() {
  const t = useT()
  const { online, expired } = useStore(reach)
  return (
    <div role="alert">
      {(!online || expired) && (
        <div className={styles.status} data-testid="status-bar">
          <span>{t(expired && online ? 'bar.expired' : 'bar.offline')}</span>
          {expired && online && <Button onClick={() => location.reload()}>{t('app.reload')}</Button>}
        </div>
      )}
    </div>
  )
}
