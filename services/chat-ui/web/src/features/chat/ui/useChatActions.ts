import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { ApiError } from '@/lib/api/client'
import { api } from '@/lib/api/endpoints'
import type { Message } from '@/lib/api/types'
import { announce, showToast } from '@/lib/data/live'
import { knownConfig } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { conversation, type Ask, type ConversationStore } from '@/features/chat/model/store'
import type { ChatProps } from '@/features/chat/Chat'
import { focusQuestion } from './Composer'
import type { ChatActions } from './context'

interface Input extends ChatProps {
  store: ConversationStore | null
  setDraft: (text: string) => void
}

/** Everything that a person can do in a conversation, behind handlers that never change. */
export function useChatActions(input: Input) {
  const t = useT()
  const [editing, setEditing] = useState<string | null>(null)
  const [asked, setAsked] = useState(0)
  const latest = useRef({ input, t })
  useEffect(() => {
    latest.current = { input, t }
  })

  const fail = useCallback((error: unknown, text: string | undefined) => {
    const { input: now, t: say } = latest.current
    if (text !== undefined) now.setDraft(text)
    const problem = error instanceof ApiError ? error : null
    const words =
      problem?.code === 'offline' ? say('chat.errorNetwork')
      : problem?.code === 'run_active' ? say('chat.runActive')
      : (problem?.detail || problem?.title || say('chat.errorUnknown'))
    showToast(words, { tone: 'bad' })
  }, [])

  const ask = useCallback(
    async (store: ConversationStore, question: Ask) => {
      setAsked((count) => count + 1)
      const outcome = await store.ask(question)
      if (!outcome.ok) fail(outcome.error, question.replaces ? undefined : question.content)
    },
    [fail],
  )

  /** Said before anything is sent: what was typed stays where it is, and no empty chat is made. */
  const tooLong = useCallback(async (text: string) => {
    const limit = (await knownConfig())?.limits.max_question_chars ?? Number.POSITIVE_INFINITY
    const length = Array.from(text).length
    if (length > limit) showToast(latest.current.t('chat.tooLong', { length, limit }), { tone: 'bad' })
    return length > limit
  }, [])

  const checking = useRef(false)
  const send = useCallback(
    (text: string) => {
      const { input: now } = latest.current
      const start = async () => {
        if (checking.current) return
        checking.current = true
        const refused = await tooLong(text)
        checking.current = false
        if (refused) return
        now.setDraft('')
        setEditing(null)
        if (now.store) {
          await ask(now.store, { content: text, collection: now.collection })
          return
        }
        const session = await api.createSession(now.collection)
        const answer = ask(conversation(session.id), { content: text, collection: now.collection })
        now.onCreated(session)
        await answer
      }
      void start().catch((error: unknown) => fail(error, text))
    },
    [ask, fail, tooLong],
  )

  const actions = useMemo<ChatActions>(() => {
    const now = () => latest.current.input
    const withStore = (question: Ask) => {
      const { store } = now()
      if (store && store.get().run === null) void ask(store, question)
    }
    const questionBefore = (answer: Message) => {
      const messages = now().store?.get().messages ?? []
      const at = messages.findIndex((message) => message.id === answer.id)
      return messages.slice(0, Math.max(at, 0)).findLast((message) => message.role === 'user')
    }
    return {
      openSource: (message, n) => now().onOpenSource(message, n),
      why: (message) => now().onWhy(message),
      upload: () => now().onUpload(),
      tryAgain: (message) => withStore({ replaces: message.id, collection: now().collection }),
      goOn: (message) => withStore({ continues: message.id, collection: message.collection }),
      edit: (message) => setEditing(message.id),
      cancelEdit: () => {
        setEditing(null)
        focusQuestion()
      },
      sendEdit: (message, content) => {
        void tooLong(content).then((refused) => {
          if (refused) return
          setEditing(null)
          withStore({ content, replaces: message.id, collection: now().collection })
          focusQuestion()
        })
      },
      rate: (message, rating) => {
        void now()
          .store?.rate(message, rating)
          .then(() => announce(latest.current.t('chat.thanks')))
          .catch((error: unknown) => fail(error, undefined))
      },
      searchAll: (message) => {
        const question = questionBefore(message)
        now().onCollection(null)
        if (question) withStore({ content: question.content, replaces: question.id, collection: null })
      },
      rephrase: (message) => {
        const question = questionBefore(message)
        if (question) setEditing(question.id)
      },
    }
  }, [ask, fail, tooLong])

  const editLast = useCallback(() => {
    const { store } = latest.current.input
    const state = store?.get()
    const last = state?.run ? undefined : state?.messages.findLast((message) => message.role === 'user')
    if (last) setEditing(last.id)
  }, [])

  return { actions, send, editing, editLast, asked }
}
