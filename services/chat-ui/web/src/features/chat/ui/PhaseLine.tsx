import { collectionLabel } from '@/lib/data/names'
import { useT } from '@/lib/i18n'
import type { Run } from '@/features/chat/model/reducer'
import type { Message } from '@/lib/api/types'
import styles from './Answer.module.css'

/** One quiet line: searching → reading (n passages) → writing, or that the stream is being found again. */
export function PhaseLine({ run, message }: { run: Run; message: Message }) {
  const t = useT()
  const n = message.sources.length
  const text = () => {
    if (run.stopping) return t('chat.stopping')
    if (run.reconnecting) return t('chat.reconnecting')
    if (run.phase === 'searching') {
      if (message.collection === null) return t('chat.searching')
      return t('chat.searchingIn', { name: collectionLabel(message.collection, t) })
    }
    if (run.phase === 'reading') return t('chat.reading', { n })
    return n > 0 ? t('chat.writing', { n }) : t('chat.writingBare')
  }
  return (
    <div className={styles.phase} data-testid="phase" data-phase={run.reconnecting ? 'reconnecting' : run.phase}>
      <span className={styles.pulse} aria-hidden="true" />
      {text()}
    </div>
  )
}
