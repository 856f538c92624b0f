import { ApiError } from '@/lib/api/client'
import { api } from '@/lib/api/endpoints'
import type { Document, DocumentStatus } from '@/lib/api/types'
import { announce } from '@/lib/data/live'
import { collections, config, loadCollections, refreshCollections } from '@/lib/data/server'
import { tNow } from '@/lib/i18n'
import { Store } from '@/lib/store'
import { watchCollection } from './watch'

export interface Upload {
  key: number
  collection: string
  title: string
  file: File | null
  /** path inside a chosen folder: the same file again replaces the document */
  externalId: string | null
  status: 'waiting' | 'uploading' | DocumentStatus
  progress: number
  documentId: string | null
  duplicate: boolean
  error: { code: string; detail: string } | null
}

export interface PickedFile {
  file: File
  path: string | null
}

export const uploads = new Store<readonly Upload[]>([])

const PARALLEL = 3
const SETTLED_MS = 4000
let nextKey = 1

function patch(key: number, change: Partial<Upload>): void {
  uploads.set((list) => list.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)))
}

export function dismissUpload(key: number): void {
  uploads.set((list) => list.filter((upload) => upload.key !== key))
}

/** The collection that added files go to: the chosen one, or one's own, made when it is missing. */
export async function targetCollection(chosen: string | null): Promise<string> {
  const known = collections.get() ?? []
  const name = chosen ?? config.get()?.default_collection ?? 'default'
  if (!known.some((collection) => collection.name === name)) {
    await api.putCollection(name, {})
    await loadCollections()
  }
  return name
}

export async function addFiles(chosen: string | null, files: readonly PickedFile[]): Promise<void> {
  if (files.length === 0) return
  const collection = await targetCollection(chosen)
  const limit = config.get()?.limits.max_upload_bytes ?? Number.POSITIVE_INFINITY
  const added = files.map(({ file, path }): Upload => {
    const tooLarge = file.size > limit
    return {
      key: nextKey++,
      collection,
      title: path ?? file.name,
      file,
      externalId: path,
      status: tooLarge ? 'failed' : 'waiting',
      progress: 0,
      documentId: null,
      duplicate: false,
      error: tooLarge ? { code: 'too_large', detail: '' } : null,
    }
  })
  uploads.set((list) => [...list, ...added])
  pump()
}

function pump(): void {
  const list = uploads.get()
  let free = PARALLEL - list.filter((upload) => upload.status === 'uploading').length
  for (const upload of list) {
    if (free <= 0) return
    if (upload.status !== 'waiting') continue
    free--
    void start(upload)
  }
}

async function start(upload: Upload): Promise<void> {
  patch(upload.key, { status: 'uploading', progress: 0, error: null })
  try {
    const { document, duplicate } = await post(upload)
    patch(upload.key, { documentId: document.id, duplicate })
    watchCollection(upload.collection)
    documentChanged(document)
  } catch (error) {
    const problem = error instanceof ApiError ? { code: error.code, detail: error.detail } : { code: 'unknown', detail: '' }
    patch(upload.key, { status: 'failed', error: problem })
  }
  pump()
}

/** XMLHttpRequest, because fetch does not tell how far an upload is. */
function post(upload: Upload): Promise<{ document: Document; duplicate: boolean }> {
  return new Promise((resolve, reject) => {
    const form = new FormData()
    if (upload.externalId !== null) form.append('external_id', upload.externalId)
    if (upload.file) form.append('file', upload.file, upload.file.name)
    const request = new XMLHttpRequest()
    request.open('POST', `/api/collections/${encodeURIComponent(upload.collection)}/documents`)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) patch(upload.key, { progress: event.loaded / event.total })
    }
    request.onerror = () => reject(new ApiError(0, 'offline', '', ''))
    request.onload = () => {
      const response = new Response(request.responseText, { status: request.status || 500 })
      if (response.ok) {
        resolve({ document: JSON.parse(request.responseText) as Document, duplicate: request.status === 200 })
      } else void ApiError.from(response).then(reject)
    }
    request.send(form)
  })
}

/** A document moved on: its chip does the same. Called by the feed of its collection. */
export function documentChanged(document: Document): void {
  const upload = uploads.get().find((candidate) => candidate.documentId === document.id)
  refreshCollections()
  if (!upload || upload.status === document.status) {
    if (upload) patch(upload.key, { progress: document.progress })
    return
  }
  patch(upload.key, { status: document.status, progress: document.progress, error: document.error })
  if (document.status === 'indexed') {
    announce(tNow('upload.done', { title: upload.title }))
    setTimeout(() => dismissUpload(upload.key), SETTLED_MS)
  }
  if (document.status === 'failed') {
    announce(tNow('upload.failedSay', { title: upload.title, reason: document.error?.detail ?? '' }))
  }
}

export async function retryUpload(upload: Upload): Promise<void> {
  if (upload.documentId === null) {
    patch(upload.key, { status: 'waiting', error: null })
    pump()
    return
  }
  patch(upload.key, { status: 'queued', progress: 0, error: null })
  try {
    await api.retryDocument(upload.documentId)
    watchCollection(upload.collection)
  } catch (error) {
    const detail = error instanceof ApiError ? error.detail : ''
    patch(upload.key, { status: 'failed', error: { code: 'retry_failed', detail } })
  }
}
