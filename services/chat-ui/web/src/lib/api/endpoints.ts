import { getJson, query, request, send, sendJson } from './client'
import type { Collection, Config, Document, Message, Page, Rating, SearchHit, Session } from './types'

const at = encodeURIComponent

export const api = {
  config: () => getJson<Config>('/api/config'),
  ingestSamples: () => sendJson<{ collection: string }>('POST', '/api/samples'),

  sessions: (options: { q?: string; cursor?: string | null; limit?: number }) =>
    getJson<Page<Session>>(`/api/sessions${query(options)}`),
  session: (id: string) => getJson<Session>(`/api/sessions/${at(id)}`),
  createSession: (collection: string | null) => sendJson<Session>('POST', '/api/sessions', { collection }),
  updateSession: (id: string, change: { title?: string; collection?: string | null }) =>
    sendJson<Session>('PATCH', `/api/sessions/${at(id)}`, change),
  deleteSession: (id: string) => send('DELETE', `/api/sessions/${at(id)}`, undefined, { keepalive: true }),
  searchHistory: (q: string, signal: AbortSignal) =>
    getJson<Page<SearchHit>>(`/api/search${query({ q, limit: 12 })}`, { signal }),

  messages: (session: string, cursor: string | null = null) =>
    getJson<Page<Message>>(`/api/sessions/${at(session)}/messages${query({ limit: 40, cursor })}`),
  stopRun: (run: string) => send('POST', `/api/runs/${at(run)}/stop`),
  feedback: (message: string, rating: Rating) =>
    sendJson<Message>('POST', `/api/messages/${at(message)}/feedback`, { rating }),

  collections: () => getJson<Page<Collection>>('/api/collections?limit=200'),
  collection: (name: string) => getJson<Collection>(`/api/collections/${at(name)}`),
  putCollection: (name: string, body: { description?: string; access?: Collection['access'] }) =>
    sendJson<Collection>('PUT', `/api/collections/${at(name)}`, body),
  deleteCollection: (name: string) => send('DELETE', `/api/collections/${at(name)}`),

  documents: (collection: string, options: { status?: string; cursor?: string | null; limit?: number }) =>
    getJson<Page<Document>>(`/api/collections/${at(collection)}/documents${query(options)}`),
  document: (id: string, signal?: AbortSignal) =>
    getJson<Document>(`/api/documents/${at(id)}`, signal ? { signal } : {}),
  retryDocument: (id: string) => send('POST', `/api/documents/${at(id)}/retry`),
  deleteDocument: (id: string) => send('DELETE', `/api/documents/${at(id)}`, undefined, { keepalive: true }),
  contentUrl: (id: string, page?: number | null) => `/api/documents/${at(id)}/content${page ? `#page=${page}` : ''}`,

  async documentText(id: string, start: number, end: number, signal: AbortSignal) {
    const response = await request(`/api/documents/${at(id)}/text${query({ start, end })}`, { signal })
    const number = (name: string, otherwise: number) => Number(response.headers.get(name) ?? otherwise)
    const text = await response.text()
    return {
      text,
      start: number('x-text-start', start),
      end: number('x-text-end', end),
      total: number('x-text-total', Number.POSITIVE_INFINITY),
    }
  },
}
