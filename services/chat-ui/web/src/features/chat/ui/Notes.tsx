import { use, type ReactNode } from 'react'
import type { Message } from '@/lib/api/types'
import { collectionLabel } from '@/lib/data/names'
import { useT } from '@/lib/i18n'
import { Button } from '@/components/Button'
import { Actions } from './context'
import styles from './Answer.module.css'

export function Note({ title, children, actions, bad }: { title: string; children?: ReactNode; actions?: ReactNode; bad?: boolean }) {
  return (
    <div className={styles.note} data-bad={bad} data-testid="note">
      <p>
        <b>{title}</b> {children}
      </p>
      {actions && <div className={styles.noteActions}>{actions}</div>}
    </div>
  )
}

/** The honest states of an answer: what happened, what was searched, what to do next. */
export function AnswerNote({ message }: { message: Message }) {
  const t = useT()
  const { searchAll, rephrase, upload } = use(Actions)
  const status = message.grounding?.status
  if (status === 'model_unavailable') {
    return <Note title={t('chat.modelDown')}>{t('chat.modelDownMore')}</Note>
  }
  if (status === 'nothing_indexed') {
    return (
      <Note title={t('chat.nothingIndexed')} actions={<Button onClick={upload}>{t('chat.upload')}</Button>}>
        {t('chat.nothingIndexedMore')}
      </Note>
    )
  }
  if (status === 'nothing_relevant') {
    const searched = message.grounding?.search?.collections ?? []
    const names = searched.length > 0 ? searched : [message.collection]
    return (
      <Note
        title={t('chat.nothingRelevant')}
        actions={
          <>
            {message.collection !== null && (
              <Button onClick={() => searchAll(message)}>{t('chat.searchAll')}</Button>
            )}
            <Button onClick={() => rephrase(message)}>{t('chat.rephrase')}</Button>
            <Button onClick={upload}>{t('chat.upload')}</Button>
          </>
        }
      >
        {t('chat.nothingRelevantIn', { names: names.map((name) => collectionLabel(name, t)).join(', ') })}
      </Note>
    )
  }
  return null
}

export function ErrorNote({ message }: { message: Message }) {
  const t = useT()
  const { tryAgain } = use(Actions)
  const { error } = message
  const detail = error?.code === 'context_length_exceeded' ? t('composer.tooLong') : error?.detail
  return (
    <Note
      bad
      title={error?.title || t('chat.wasError')}
      actions={<Button onClick={() => tryAgain(message)}>{t('chat.again')}</Button>}
    >
      {detail || t('chat.errorUnknown')}
    </Note>
  )
}
