import { useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react'
import type { Message, Session } from '@/lib/api/types'
import { announce } from '@/lib/data/live'
import { useT } from '@/lib/i18n'
import { Button } from '@/components/Button'
import { emptyConversation } from './model/reducer'
import { conversation } from './model/store'
import { plainText } from './model/plain'
import { Composer, focusQuestion } from './ui/Composer'
import { Actions } from './ui/context'
import { MessageList } from './ui/MessageList'
import { StartPage } from './ui/StartPage'
import { useChatActions } from './ui/useChatActions'
import { useDraft } from './ui/useDraft'
import { WhyDialog } from './ui/WhyDialog'
import styles from './Chat.module.css'

export interface ChatProps {
  sessionId: string | null
  collection: string | null
  empty: boolean | null
  openSource: { messageId: string; n: number } | null
  onOpenSource: (message: Message, n: number) => void
  onCollection: (collection: string | null) => void
  onCreated: (session: Session) => void
  onUpload: () => void
  /** the answer that is being explained */
  why: Message | null
  onWhy: (message: Message | null) => void
  tools: ReactNode
  firstVisit: ReactNode
}

export function Chat(props: ChatProps) {
  const { sessionId, collection, empty, openSource, tools, firstVisit, why, onWhy } = props
  const t = useT()
  const store = useMemo(() => (sessionId === null ? null : conversation(sessionId)), [sessionId])
  const state = useSyncExternalStore(store?.subscribe ?? never, store?.get ?? (() => emptyConversation))
  const [draft, setDraft] = useDraft(sessionId ?? 'new')
  const { actions, send, editing, editLast, asked } = useChatActions({ ...props, store, setDraft })

  useEffect(() => {
    if (store && store.get().run === null) void store.load()
  }, [store])

  useEffect(() => {
    if (!store) return
    return store.onFinished((message) => {
      const how = message.status === 'stopped' ? 'chat.wasStopped' : message.status === 'error' ? 'chat.wasError' : 'chat.finished'
      announce(`${t(how)} ${plainText(message.content)}`)
    })
  }, [store, t])

  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) focusQuestion()
  }, [sessionId])

  const older = useMemo(() => () => void store?.loadOlder(), [store])

  return (
    <Actions value={actions}>
      <section className={styles.chat} aria-label={t('chat.label')}>
        {state.status === 'failed' || state.status === 'gone' ? (
          <div className={styles.middle}>
            <p>{t(state.status === 'gone' ? 'chat.gone' : 'chat.failed')}</p>
            {state.status === 'failed' && <Button onClick={() => void store?.load()}>{t('app.retry')}</Button>}
          </div>
        ) : sessionId === null || (state.status === 'ready' && state.messages.length === 0) ? (
          <StartPage collection={collection} empty={empty} onAsk={send} firstVisit={firstVisit} />
        ) : (
          <MessageList key={sessionId} conversation={state} editing={editing} openSource={openSource} onOlder={older} asked={asked} />
        )}
        <Composer
          text={draft}
          onText={setDraft}
          onSend={send}
          onStop={() => void store?.stop()}
          onEditLast={editLast}
          running={state.run !== null}
          stopping={state.run?.stopping ?? false}
          tools={tools}
        />
      </section>
      {why && (
        <WhyDialog
          message={why}
          onClose={() => onWhy(null)}
          onOpen={(n) => {
            onWhy(null)
            props.onOpenSource(why, n)
          }}
        />
      )}
    </Actions>
  )
}

const never = () => () => undefined
