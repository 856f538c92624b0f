import { ApiError, request } from '@/lib/api/client'
import { api } from '@/lib/api/endpoints'
import type { Message, Rating } from '@/lib/api/types'
import { backoff, openEvents, pause, readEvents } from '@/lib/sse/stream'
import { Store } from '@/lib/store'
import { joinTokens, toAction } from './events'
import { emptyConversation, reduce, type Action, type Conversation } from './reducer'

export interface Ask {
  content?: string
  collection: string | null
  replaces?: string
  continues?: string
}

type Outcome = { ok: true } | { ok: false; error: ApiError }

const FLUSH_MS = 40
const KEPT = 30

/**
 * One conversation with its stream. It lives outside the components: leaving a chat and
 * coming back finds the answer further on, not started anew.
 */
export class ConversationStore {
  private readonly store = new Store<Conversation>(emptyConversation)
  private queue: Action[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  private following: AbortController | null = null
  private finished = new Set<(message: Message) => void>()

  constructor(readonly sessionId: string) {}

  get = this.store.get
  subscribe = this.store.subscribe

  onFinished = (listener: (message: Message) => void): (() => void) => {
    this.finished.add(listener)
    return () => this.finished.delete(listener)
  }

  private dispatch(action: Action): void {
    this.store.set((state) => reduce(state, action))
  }

  async load(): Promise<void> {
    this.dispatch({ type: 'loading' })
    try {
      const page = await api.messages(this.sessionId)
      this.dispatch({ type: 'loaded', messages: page.items, older: page.next_cursor })
    } catch (error) {
      // 422: the address names no chat at all
      this.dispatch({ type: 'load-failed', gone: error instanceof ApiError && [404, 422].includes(error.status) })
      return
    }
    const running = this.get().messages.findLast((message) => message.status === 'running')
    if (running?.run_id && !this.get().run) {
      this.dispatch({ type: 'followed', runId: running.run_id, messageId: running.id })
      void this.follow(running.run_id)
    }
  }

  async loadOlder(): Promise<void> {
    const { older, loadingOlder } = this.get()
    if (!older || loadingOlder) return
    this.dispatch({ type: 'older-loading' })
    try {
      const page = await api.messages(this.sessionId, older)
      this.dispatch({ type: 'older-loaded', messages: page.items, older: page.next_cursor })
    } catch {
      this.dispatch({ type: 'older-loaded', messages: [], older })
    }
  }

  /** Asks, asks anew (`replaces`) or goes on (`continues`). The answer says whether the question was accepted. */
  async ask(ask: Ask): Promise<Outcome> {
    const before = this.get().messages
    this.dispatch(optimistic(this.sessionId, ask, before))
    const controller = new AbortController()
    let response: Response
    try {
      response = await request(`/api/sessions/${encodeURIComponent(this.sessionId)}/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify(ask),
        signal: controller.signal,
      })
    } catch (error) {
      const problem = error instanceof ApiError ? error : new ApiError(0, 'unknown', 'unknown', String(error))
      this.dispatch({ type: 'ask-failed', error: null, before })
      if (problem.code === 'run_active') void this.load()
      return { ok: false, error: problem }
    }
    const runId = response.headers.get('x-run-id') ?? ''
    const answerId = response.headers.get('x-assistant-message-id') ?? this.get().run?.messageId ?? ''
    this.dispatch({ type: 'opened', runId, questionId: response.headers.get('x-user-message-id'), answerId })
    if (this.get().run?.stopping) void api.stopRun(runId).catch(() => undefined)
    void this.follow(runId, response)
    return { ok: true }
  }

  async stop(): Promise<void> {
    const { run } = this.get()
    if (!run || run.stopping) return
    this.dispatch({ type: 'stopping' })
    if (run.id) await api.stopRun(run.id).catch(() => undefined)
  }

  async rate(message: Message, rating: Rating): Promise<void> {
    this.dispatch({ type: 'feedback', message: { ...message, feedback: rating } })
    try {
      this.dispatch({ type: 'feedback', message: await api.feedback(message.id, rating) })
    } catch (error) {
      this.dispatch({ type: 'feedback', message })
      throw error
    }
  }

  /** Reads a run to its end; a broken stream is opened again after the last event that was seen. */
  private async follow(runId: string, first?: Response): Promise<void> {
    this.following?.abort()
    const controller = new AbortController()
    this.following = controller
    let response: Response | undefined = first
    let attempt = 0
    while (!controller.signal.aborted && this.get().run?.id === runId) {
      try {
        const seq = this.get().run?.seq ?? -1
        response ??= await openEvents(
          `/api/runs/${encodeURIComponent(runId)}/events`,
          controller.signal,
          seq >= 0 ? String(seq) : null,
        )
        await readEvents(response, (event) => {
          attempt = 0
          this.receive(toAction(event, (this.get().run?.seq ?? -1) + this.queue.length + 1))
        })
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 410)) {
          this.flush()
          await this.reload()
          return
        }
      }
      this.flush()
      response = undefined
      if (this.get().run?.id !== runId) return
      this.dispatch({ type: 'lost' })
      await pause(backoff(attempt++), controller.signal)
    }
  }

  /** The run is not known any more: what the history says is what counts. */
  private async reload(): Promise<void> {
    const page = await api.messages(this.sessionId).catch(() => null)
    const { run } = this.get()
    const message = page?.items.find((candidate) => candidate.id === run?.messageId)
    if (message) this.dispatch({ type: 'finished', seq: Number.MAX_SAFE_INTEGER, message })
    else this.dispatch({ type: 'ask-failed', error: null, before: page?.items ?? this.get().messages })
  }

  private receive(action: Action | null): void {
    if (!action) return
    this.queue.push(action)
    if (action.type === 'token') this.timer ??= setTimeout(() => this.flush(), FLUSH_MS)
    else this.flush()
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const actions = joinTokens(this.queue)
    this.queue = []
    for (const action of actions) {
      const running = this.get().run !== null
      this.dispatch(action)
      if (action.type === 'finished' && running) for (const listener of this.finished) listener(action.message)
    }
  }
}

function optimistic(sessionId: string, ask: Ask, messages: readonly Message[]): Action {
  const base = { session_id: sessionId, collection: ask.collection, created_at: new Date().toISOString() }
  const question = ask.continues || ask.content === undefined ? null : draft({ ...base, role: 'user', content: ask.content })
  const stopped = ask.continues ? messages.find((message) => message.id === ask.continues) : undefined
  const answer = draft({ ...base, role: 'assistant', content: stopped?.content ?? '', status: 'running' })
  return {
    type: 'asked',
    question,
    answer: stopped ? { ...answer, sources: stopped.sources } : answer,
    after: ask.replaces ?? ask.continues ?? null,
  }
}

let drafts = 0

function draft(part: Pick<Message, 'session_id' | 'role' | 'content' | 'collection' | 'created_at'> & Partial<Message>): Message {
  return {
    id: `new-${++drafts}`,
    status: 'done',
    model: null,
    sources: [],
    citations: [],
    grounding: null,
    error: null,
    feedback: null,
    run_id: null,
    ...part,
  }
}

const open = new Map<string, ConversationStore>()

export function conversation(sessionId: string): ConversationStore {
  const known = open.get(sessionId)
  if (known) {
    open.delete(sessionId) // put last: the order is that of use
    open.set(sessionId, known)
    return known
  }
  const created = new ConversationStore(sessionId)
  open.set(sessionId, created)
  if (open.size > KEPT) forgetIdle()
  return created
}

/** A tab that is open for weeks keeps the chats of late, and those that are being answered. */
function forgetIdle(): void {
  for (const [id, store] of [...open].slice(0, -KEPT)) if (store.get().run === null) open.delete(id)
}

export function forgetConversation(sessionId: string): void {
  open.delete(sessionId)
}

/** Another tab or device changed this chat: read it again, unless this tab is the one that streams. */
export function refreshConversation(sessionId: string): void {
  const known = open.get(sessionId)
  if (known && known.get().status === 'ready' && !known.get().run) void known.load()
}
