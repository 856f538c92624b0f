import { config } from '@/lib/data/server'
import type { Format, MessageKey, Translate } from '@/lib/i18n'

const KNOWN: Record<string, MessageKey> = {
  too_large: 'upload.why.too_large',
  unsupported_media_type: 'upload.why.unsupported_media_type',
  empty_file: 'upload.why.empty_file',
  collection_not_found: 'upload.why.collection_not_found',
  offline: 'upload.why.offline',
  forbidden: 'upload.why.forbidden',
}

/** Why a document failed, in the person's own words where the code is known. */
export function reasonOf(error: { code: string; detail: string } | null, t: Translate, format: Format): string {
  const key = error ? KNOWN[error.code] : undefined
  const server = config.get()
  if (key) {
    return t(key, {
      size: format.bytes(server?.limits.max_upload_bytes ?? 0),
      formats: server?.formats.join(', ') ?? '',
    })
  }
  return error?.detail || t('upload.why.unknown')
}

const FINAL = new Set(['too_large', 'unsupported_media_type', 'empty_file'])

/** The same file would fail the same way: trying again is not offered. */
export const isFinal = (error: { code: string } | null): boolean => FINAL.has(error?.code ?? '')
