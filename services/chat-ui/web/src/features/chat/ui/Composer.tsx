import type { ReactNode } from 'react'
import { isComposing } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { Icon } from '@/components/Icon'
import styles from './Composer.module.css'

export const QUESTION_BOX = 'question'

export function focusQuestion(): void {
  document.getElementById(QUESTION_BOX)?.focus()
}

interface ComposerProps {
  text: string
  onText: (text: string) => void
  onSend: (text: string) => void
  onStop: () => void
  onEditLast: () => void
  running: boolean
  stopping: boolean
  /** collection picker, upload menu and the chips of what is being added */
  tools: ReactNode
}

export function Composer({ text, onText, onSend, onStop, onEditLast, running, stopping, tools }: ComposerProps) {
  const t = useT()
  const ready = text.trim().length > 0 && !running
  const submit = () => {
    if (ready) onSend(text.trim())
  }
  return (
    <div className={styles.dock}>
      <form
        className={styles.box}
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        {/* The hidden twin gives the box the height of its text. */}
        <div className={styles.grow} data-text={`${text} `}>
          <textarea
            id={QUESTION_BOX}
            rows={1}
            dir="auto"
            enterKeyHint="send"
            aria-label={t('composer.label')}
            placeholder={t('composer.placeholder')}
            value={text}
            onChange={(event) => onText(event.target.value)}
            onKeyDown={(event) => {
              if (isComposing(event)) return
              if (event.key === 'Enter' && !event.shiftKey) {
                event.preventDefault()
                submit()
              } else if (event.key === 'ArrowUp' && text === '') {
                event.preventDefault()
                onEditLast()
              }
            }}
          />
        </div>
        <div className={styles.bar}>
          <div className={styles.tools}>{tools}</div>
          {running ? (
            <button type="button" className={styles.send} aria-label={t('composer.stop')} title={t('composer.stop')} disabled={stopping} onClick={onStop}>
              <span className={styles.square} aria-hidden="true" />
            </button>
          ) : (
            <button type="submit" className={styles.send} aria-label={t('composer.send')} title={t('composer.send')} disabled={!ready}>
              <Icon name="up" size={17} />
            </button>
          )}
        </div>
      </form>
      <p className={styles.hint}>{t('composer.hint')}</p>
    </div>
  )
}
