import type { Translate } from '@/lib/i18n'

/** A collection's name as people read it: `ops-handbook` → `Ops handbook`. */
export function collectionLabel(name: string | null, t: Translate): string {
  if (name === null) return t('collection.all')
  if (name === 'default') return t('collection.default')
  const words = name.replace(/-+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** A document's title without the extension of its file. */
export function plainTitle(title: string): string {
  const file = title.split('/').at(-1) ?? title
  return file.replace(/\.(pdf|docx?|md|markdown|rst|html?|txt)$/i, '') || title
}
