import { memo, use, useEffect, useRef, useState } from 'react'
import { Button, IconButton } from '@/components/Button'
import type { Message } from '@/lib/api/types'
import { isComposing } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { Actions } from './context'
import styles from './Question.module.css'

interface QuestionProps {
  message: Message
  editing: boolean
  busy: boolean
}

export const Question = memo(function Question({ message, editing, busy }: QuestionProps) {
  const t = useT()
  const { edit } = use(Actions)
  if (editing) return <QuestionEditor message={message} />
  return (
    <article className={styles.row} aria-label={t('chat.you')} data-testid="question">
      <IconButton icon="pencil" size={15} label={t('chat.edit')} disabled={busy} className={styles.edit} onClick={() => edit(message)} />
      <div className={styles.ask} dir="auto">
        {message.content}
      </div>
    </article>
  )
})

function QuestionEditor({ message }: { message: Message }) {
  const t = useT()
  const { sendEdit, cancelEdit } = use(Actions)
  const [text, setText] = useState(message.content)
  const ref = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    const box = ref.current
    box?.focus()
    box?.setSelectionRange(box.value.length, box.value.length)
  }, [])
  const submit = () => {
    if (text.trim()) sendEdit(message, text.trim())
  }
  return (
    <form
      className={styles.editor}
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <textarea
        ref={ref}
        aria-label={t('chat.edit')}
        value={text}
        rows={Math.min(10, text.split('\n').length + 1)}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (isComposing(event)) return
          if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault()
            submit()
          }
          if (event.key === 'Escape') {
            event.stopPropagation()
            cancelEdit()
          }
        }}
      />
      <div>
        <Button tone="quiet" onClick={cancelEdit}>
          {t('app.cancel')}
        </Button>
        <Button tone="primary" type="submit" disabled={!text.trim()}>
          {t('chat.editSend')}
        </Button>
      </div>
    </form>
  )
}
