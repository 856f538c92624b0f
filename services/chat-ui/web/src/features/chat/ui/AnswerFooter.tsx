import { use } from 'react'
import { Button, IconButton } from '@/components/Button'
import type { Message, Rating } from '@/lib/api/types'
import { copyText } from '@/lib/clipboard'
import { useFlash } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { Actions } from './context'
import styles from './Answer.module.css'

export function AnswerFooter({ message, busy }: { message: Message; busy: boolean }) {
  const t = useT()
  const { tryAgain, goOn, why, rate } = use(Actions)
  const [copied, flash] = useFlash()
  const { grounding, feedback } = message
  const nothing = grounding?.status === 'nothing_indexed' || grounding?.status === 'nothing_relevant'
  const stopped = message.status === 'stopped'
  const copy = async () => {
    if (await copyText(message.content)) flash()
  }
  const toggle = (rating: Exclude<Rating, null>) => rate(message, feedback === rating ? null : rating)
  const model = grounding?.model ?? message.model
  const showSupport = grounding && grounding.sentences > 0 && grounding.status === 'answered'
  return (
    <div className={styles.foot} data-testid="answer-footer">
      {stopped && <span className={styles.stopped}>{t('chat.stopped')}</span>}
      {showSupport && (
        <span className={grounding.supported * 2 < grounding.sentences ? styles.hardly : styles.mostly} data-testid="support">
          <i aria-hidden="true" />
          {t('chat.supported', { supported: grounding.supported, n: grounding.sentences })}
        </span>
      )}
      {stopped && (
        <Button tone="quiet" disabled={busy} onClick={() => goOn(message)}>
          {t('chat.goOn')}
        </Button>
      )}
      {message.content && !nothing && (
        <Button tone="quiet" onClick={() => void copy()}>
          {copied ? t('app.copied') : t('chat.copy')}
        </Button>
      )}
      {message.status !== 'error' && (
        <Button tone="quiet" disabled={busy} onClick={() => tryAgain(message)}>
          {t('chat.again')}
        </Button>
      )}
      {(grounding !== null || message.sources.length > 0) && (
        <Button tone="quiet" aria-haspopup="dialog" onClick={() => why(message)}>
          {t('chat.why')}
        </Button>
      )}
      <IconButton icon="plus" size={15} label={t('chat.good')} aria-pressed={feedback === 'up'} className={styles.rate} onClick={() => toggle('up')} />
      <IconButton icon="minus" size={15} label={t('chat.bad')} aria-pressed={feedback === 'down'} className={styles.rate} onClick={() => toggle('down')} />
      {model && (
        <span className={styles.model} title={t('chat.model', { model })} data-testid="model">
          {model}
        </span>
      )}
    </div>
  )
}
