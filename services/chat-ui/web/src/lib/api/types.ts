/** What chat-ui and, through it, ingest answer. Offsets count Unicode code points. */
export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

export interface Config {
  version: string
  auth_mode: 'local' | 'token' | 'proxy' | 'none'
  principal: { subject: string }
  model: { name: string | null; available: boolean }
  limits: { max_upload_bytes: number; max_question_chars?: number }
  formats: string[]
  default_collection: string
  samples?: boolean
}

export interface Session {
  id: string
  title: string
  collection: string | null
  created_at: string
  updated_at: string
  active_run_id: string | null
}

export interface SessionEvent {
  id: string
  updated_at: string
  active_run_id: string | null
  deleted: boolean
}

export interface Source {
  n: number
  chunk_id: string
  document_id: string
  collection: string
  title: string
  text: string
  start: number
  end: number
  page?: number | null
  heading?: string | null
  score: number | null
  scores?: Partial<Record<string, number | null>>
}

export interface Citation {
  n: number
  chunk_id: string
  document_id: string
  collection: string
  title: string
  quote: string
  start: number
  end: number
  page?: number | null
  score: number | null
}

export type GroundingStatus = 'answered' | 'nothing_indexed' | 'nothing_relevant' | 'model_unavailable'

export interface Span {
  start: number
  end: number
}

export interface Grounding {
  status: GroundingStatus
  sentences: number
  supported: number
  unsupported: Span[]
  model: string | null
  search?: {
    query: string
    mode: string
    collections: string[]
    timings_ms: Partial<Record<string, number>>
  }
}

export type MessageStatus = 'running' | 'done' | 'stopped' | 'error'
export type Rating = 'up' | 'down' | null

export interface MessageError {
  code: string
  title: string
  detail: string
}

export interface Message {
  id: string
  session_id: string
  role: 'user' | 'assistant'
  content: string
  status: MessageStatus
  collection: string | null
  model: string | null
  sources: Source[]
  citations: Citation[]
  grounding: Grounding | null
  error: MessageError | null
  feedback: Rating
  run_id: string | null
  created_at: string
}

export interface SearchHit {
  session_id: string
  title: string
  message_id: string
  snippet: string
  created_at: string
}

export interface Collection {
  name: string
  description: string | null
  access: { readers: string[]; writers: string[] }
  owner: string
  document_count: number
  indexed_count: number
  failed_count: number
  chunk_count: number
  created_at: string
  updated_at: string
}

export type DocumentStatus = 'queued' | 'parsing' | 'embedding' | 'indexed' | 'failed'

export interface Document {
  id: string
  collection: string
  external_id: string | null
  title: string
  media_type: string
  size_bytes: number
  sha256: string
  status: DocumentStatus
  progress: number
  chunk_count: number
  error: { code: string; detail: string } | null
  metadata: Record<string, unknown>
  created_at: string
  updated_at: string
}
