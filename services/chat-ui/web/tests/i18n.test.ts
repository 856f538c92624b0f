import { describe, expect, it } from 'vitest'
import { catalogues, translate } from '@/lib/i18n/messages'
import { LANGUAGES } from '@/lib/settings'
import { en, type MessageKey } from '@/locales/en'

const keys = Object.keys(en) as MessageKey[]
const forms = (entry: string | { one?: string; other: string }) => (typeof entry === 'string' ? [entry] : Object.values(entry))
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

describe.each(LANGUAGES)('messages in %s', (language) => {
  const messages = catalogues[language]

  it('are complete and have no others', () => {
    expect(Object.keys(messages)).toEqual(keys)
  })

  it.each(keys)('%s has words and the same gaps as English', (key) => {
    const english = holes(forms(en[key]).at(-1) ?? '')
    for (const text of forms(messages[key])) {
      expect(text.trim()).not.toBe('')
      expect(holes(text)).toEqual(english)
    }
  })

  it('are calm', () => {
    for (const text of Object.values(messages).flatMap(forms)) expect(text).not.toMatch(/[!！]|oops|sorry/i)
  })
})

describe('translate', () => {
  it('chooses the plural of the language and writes numbers its way', () => {
    expect(translate('en', 'chat.reading', { n: 1 })).toBe('Reading 1 passage…')
    expect(translate('en', 'chat.reading', { n: 1200 })).toBe('Reading 1,200 passages…')
    expect(translate('vi', 'chat.reading', { n: 1200 })).toBe('Đang đọc 1.200 đoạn…')
  })
})
