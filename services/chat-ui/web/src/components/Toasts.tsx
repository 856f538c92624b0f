import { dismissToast, live, toasts } from '@/lib/data/live'
import { useT } from '@/lib/i18n'
import { useStore } from '@/lib/store'
import { Button, IconButton } from './Button'
import styles from './Toasts.module.css'

export function Toasts() {
  const t = useT()
  const list = useStore(toasts)
  return (
    <div className={styles.region} role="region" aria-label={t('app.notifications')}>
      <div role="status" className={styles.stack}>
        {list.map((toast) => (
          <div key={toast.id} className={styles.toast} data-tone={toast.tone}>
            <span>{toast.text}</span>
            {toast.action && (
              <Button tone="quiet" className={styles.action} onClick={toast.action.run}>
                {toast.action.label}
              </Button>
            )}
            <IconButton icon="close" size={14} label={t('app.close')} onClick={() => dismissToast(toast.id)} />
          </div>
        ))}
      </div>
    </div>
  )
}

/** Speaks when something is complete, never with each token. */
export function LiveRegion() {
  const { text, count } = useStore(live)
  return (
    <div className="sr-only" role="status" aria-live="polite" data-testid="live">
      <span key={count}>{text}</span>
    </div>
  )
}
