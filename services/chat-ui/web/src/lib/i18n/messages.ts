import { en, type MessageKey, type Messages } from '@/locales/en'
import { vi } from '@/locales/vi'
import { zh } from '@/locales/zh'
import type { Language } from '@/lib/settings'

export const catalogues: Record<Language, Messages> = { en, zh, vi }
export type Values = Record<string, string | number>
export type Translate = (key: MessageKey, values?: Values) => string
export type { MessageKey }

/** Fills `{name}`; a plural entry is chosen by `values.n` with the language's own rules. */
export function translate(language: Language, key: MessageKey, values: Values = {}): string {
  const entry: string | { one?: string; other: string } = catalogues[language][key]
  let text: string
  if (typeof entry === 'string') text = entry
  else {
    const rule = new Intl.PluralRules(language).select(Number(values.n ?? 0))
    text = (rule === 'one' ? entry.one : undefined) ?? entry.other
  }
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value
  })
}
