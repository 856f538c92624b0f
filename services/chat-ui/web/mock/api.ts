import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Document, Message, Session } from '../src/lib/api/types.ts'
import { collection, firstDocuments, firstMessages, firstSessions, HANDBOOK, message } from './data.ts'
import { attach, findRun, startRun } from './runs.ts'

/** `empty`: nothing indexed, no chats. */
export function createApi(empty: boolean) {
  let sessions: Session[] = empty ? [] : firstSessions()
  let messages: Message[] = empty ? [] : firstMessages()
  let documents: Document[] = empty ? [] : firstDocuments()
  const names = new Set(empty ? [] : ['operations-handbook', 'default'])
  const watchers = new Set<ServerResponse>()
  const documentWatchers = new Set<ServerResponse>()
  let count = 100

  const tell = (session: Session, deleted = false) => {
    const { id, updated_at, active_run_id } = session
    for (const watcher of watchers) watcher.write(`event: session\ndata: ${JSON.stringify({ id, updated_at, active_run_id, deleted })}\n\n`)
  }
  const tellDocument = (document: Document) => {
    for (const watcher of documentWatchers) watcher.write(`event: document\ndata: ${JSON.stringify(document)}\n\n`)
  }

  function ask(session: Session, body: Record<string, string | null>, response: ServerResponse): void {
    const target = messages.find((each) => each.id === (body.replaces ?? body.continues))
    const own = messages.filter((each) => each.session_id === session.id)
    const cut = target ? own.indexOf(target) : own.length
    const kept = own.slice(0, cut)
    const question = body.content
      ? message({ id: `m${++count}`, session_id: session.id, role: 'user', content: body.content })
      : (kept.findLast((each) => each.role === 'user') ?? kept[0])
    const answer = message({ id: `m${++count}`, session_id: session.id, role: 'assistant', content: body.continues ? (target?.content ?? '') : '', status: 'running', collection: body.collection ?? null })
    answer.run_id = `r${count}`
    messages = [...messages.filter((each) => each.session_id !== session.id), ...kept]
    if (body.content && question) messages.push(question)
    messages.push(answer)
    session.title ||= body.content ?? ''
    session.updated_at = new Date().toISOString()
    session.active_run_id = answer.run_id
    tell(session)
    response.setHeader('x-run-id', answer.run_id)
    response.setHeader('x-assistant-message-id', answer.id)
    if (question) response.setHeader('x-user-message-id', question.id)
    const run = startRun(answer.run_id, answer, question?.content ?? '', () => {
      session.active_run_id = null
      tell(session)
    })
    attach(run, response, -1)
  }

  function upload(name: string, text: string, response: ServerResponse): void {
    const file = /filename="([^"]+)"/.exec(text)?.[1] ?? 'file.txt'
    if (file.endsWith('.exe')) return problem(response, 415, 'unsupported_media_type', 'Not supported')
    const document: Document = { ...(firstDocuments()[0] as Document), id: `d${++count}`, collection: name, title: file, status: 'queued', progress: 0, chunk_count: 0, updated_at: new Date().toISOString() }
    documents = [document, ...documents]
    json(response, document, 202)
    const bad = file.includes('bad')
    const steps: Partial<Document>[] = [{ status: 'parsing' }, ...[0.2, 0.5, 0.8].map((progress) => ({ status: 'embedding' as const, progress })), bad ? { status: 'failed', error: { code: 'no_text', detail: 'The PDF holds pictures of pages and no text.' } } : { status: 'indexed', progress: 1, chunk_count: 12 }]
    steps.forEach((step, index) => setTimeout(() => tellDocument(Object.assign(document, step)), 600 * (index + 1)))
  }

  return async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const [, , kind, id, part] = url.pathname.split('/').map(decodeURIComponent)
    const method = request.method ?? 'GET'
    const raw = method === 'GET' ? '' : await readBody(request)
    const body = (raw.startsWith('{') ? JSON.parse(raw) : {}) as Record<string, string | null>
    if (kind === 'config') return json(response, { version: '0.1.0', auth_mode: 'local', principal: { subject: 'local' }, model: { name: 'SmolLM2-135M-Instruct', available: true }, limits: { max_upload_bytes: 104_857_600 }, formats: ['.pdf', '.docx', '.md', '.html', '.rst', '.txt'], default_collection: 'default', samples: true })
    if (kind === 'samples') {
      names.add('samples')
      documents = firstDocuments().map((each) => ({ ...each, collection: 'samples' }))
      return json(response, { collection: 'samples' }, 202)
    }
    if (kind === 'events') return feed(response, watchers)
    if (kind === 'search') return json(response, { items: messages.filter((each) => each.content.includes(url.searchParams.get('q') ?? '')).map((each) => ({ session_id: each.session_id, title: sessions.find((s) => s.id === each.session_id)?.title ?? '', message_id: each.id, snippet: each.content.slice(0, 90), created_at: each.created_at })), next_cursor: null })
    if (kind === 'sessions' && !id) {
      if (method === 'GET') return json(response, { items: sessions, next_cursor: null })
      const made: Session = { id: `s${++count}`, title: '', collection: body.collection ?? null, created_at: new Date().toISOString(), updated_at: new Date().toISOString(), active_run_id: null }
      sessions = [made, ...sessions]
      return json(response, made, 201)
    }
    if (kind === 'sessions') {
      const session = sessions.find((each) => each.id === id)
      if (!session) return problem(response, 404, 'session_not_found', 'No such chat')
      if (part === 'messages') return method === 'POST' ? ask(session, body, response) : json(response, { items: messages.filter((each) => each.session_id === id), next_cursor: null })
      if (method === 'PATCH') Object.assign(session, body)
      if (method === 'DELETE') sessions = sessions.filter((each) => each !== session)
      if (method !== 'GET') tell(session, method === 'DELETE')
      return method === 'DELETE' ? void response.writeHead(204).end() : json(response, session)
    }
    if (kind === 'runs') {
      const run = findRun(id ?? '')
      if (!run) return problem(response, 404, 'run_not_found', 'No such run')
      if (part === 'stop') run.stop = true
      return part === 'stop' ? json(response, {}, 202) : attach(run, response, Number(request.headers['last-event-id'] ?? -1))
    }
    if (kind === 'messages') {
      const rated = messages.find((each) => each.id === id)
      if (rated) rated.feedback = body.rating as Message['feedback']
      return json(response, rated)
    }
    if (kind === 'collections') {
      if (!id) return json(response, { items: [...names].map((name) => collection(name, documents)), next_cursor: null })
      if (method === 'PUT') names.add(id)
      if (method === 'DELETE') return names.delete(id), void response.writeHead(204).end()
      if (part === 'events') return feed(response, documentWatchers)
      if (part === 'documents' && method === 'POST') return upload(id, raw, response)
      const status = url.searchParams.get('status')
      if (part === 'documents') return json(response, { items: documents.filter((each) => each.collection === id && (!status || each.status === status)), next_cursor: null })
      return json(response, collection(id, documents))
    }
    const document = documents.find((each) => each.id === id)
    if (kind !== 'documents' || !document) return problem(response, 404, 'not_found', 'Not found')
    if (method === 'DELETE') documents = documents.filter((each) => each !== document)
    if (part === 'retry') tellDocument(Object.assign(document, { status: 'queued', error: null }))
    if (part === 'text') return text(response, url)
    return json(response, document)
  }
}

function text(response: ServerResponse, url: URL): void {
  const points = [...HANDBOOK]
  const start = Math.min(Number(url.searchParams.get('start') ?? 0), points.length)
  const end = Math.min(Number(url.searchParams.get('end') ?? points.length), points.length)
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-text-start': start, 'x-text-end': end, 'x-text-total': points.length })
  response.end(points.slice(start, end).join(''))
}

function feed(response: ServerResponse, readers: Set<ServerResponse>): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(': open\n\n')
  readers.add(response)
  response.on('close', () => readers.delete(response))
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function problem(response: ServerResponse, status: number, code: string, title: string): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ status, code, title, detail: title }))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
