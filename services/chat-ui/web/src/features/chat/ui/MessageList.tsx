import { useEffect, useLayoutEffect, useRef } from 'react'
import { Icon } from '@/components/Icon'
import { useT } from '@/lib/i18n'
import type { Conversation } from '@/features/chat/model/reducer'
import { Answer } from './Answer'
import { Question } from './Question'
import { useStick } from './useStick'
import styles from './MessageList.module.css'

interface MessageListProps {
  conversation: Conversation
  editing: string | null
  openSource: { messageId: string; n: number } | null
  onOlder: () => void
  /** grows with every question of this person: their own question is always shown */
  asked: number
}

export function MessageList({ conversation, editing, openSource, onOlder, asked }: MessageListProps) {
  const t = useT()
  const { scroller, content, away, toEnd, shift } = useStick()
  const { messages, run, older, loadingOlder } = conversation
  const busy = run !== null
  const first = messages[0]?.id
  const heightBefore = useRef(0)

  useLayoutEffect(toEnd, [asked, toEnd])

  // Older messages are put above what is read: the reading position stays.
  useLayoutEffect(() => {
    const height = scroller.current?.scrollHeight ?? 0
    if (heightBefore.current > 0) shift(height - heightBefore.current)
    heightBefore.current = 0
  }, [first, scroller, shift])

  const top = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const mark = top.current
    if (!mark || !older) return
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return
        heightBefore.current = scroller.current?.scrollHeight ?? 0
        onOlder()
      },
      { root: scroller.current, rootMargin: '400px 0px 0px' },
    )
    observer.observe(mark)
    return () => observer.disconnect()
  }, [older, onOlder, scroller])

  return (
    <div className={styles.frame}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div ref={scroller} className={styles.talk} tabIndex={0} role="region" aria-label={t('chat.thread')} data-testid="thread">
        <div ref={content} className={styles.column}>
          <div ref={top} className={styles.older}>
            {loadingOlder && t('chat.older')}
          </div>
          {messages.map((message) =>
            message.role === 'user' ? (
              <Question key={message.id} message={message} editing={editing === message.id} busy={busy} />
            ) : (
              <Answer
                key={message.id}
                message={message}
                run={run?.messageId === message.id ? run : null}
                busy={busy}
                openN={openSource?.messageId === message.id ? openSource.n : null}
              />
            ),
          )}
        </div>
      </div>
      {away && (
        <button type="button" className={styles.latest} onClick={toEnd}>
          <Icon name="down" size={15} />
          {t('chat.latest')}
        </button>
      )}
    </div>
  )
}
