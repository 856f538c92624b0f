import { useMemo } from 'react'
import { settings, type Language } from '@/lib/settings'
import { useStore } from '@/lib/store'
import { translate, type Translate } from './messages'

export type { MessageKey, Translate, Values } from './messages'

export function useT(): Translate {
  const { language } = useStore(settings)
  return useMemo<Translate>(() => (key, values) => translate(language, key, values), [language])
}

/** For code outside components; reads the language of this moment. */
export const tNow: Translate = (key, values) => translate(settings.get().language, key, values)

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** The person's own variety of the language: en-GB writes dates unlike en-US. */
const localeOf = (language: Language): string =>
  navigator.languages.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language

function makeFormat(chosen: Language) {
  const language = localeOf(chosen)
  const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long' })
  const dayYear = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', year: 'numeric' })
  const month = new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric' })
  const moment = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'short' })
  const number = new Intl.NumberFormat(language)
  const percent = new Intl.NumberFormat(language, { style: 'percent' })
  const score = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  return {
    number: (value: number) => number.format(value),
    percent: (value: number) => percent.format(value),
    score: (value: number) => score.format(value),
    month: (iso: string) => month.format(new Date(iso)),
    moment: (iso: string) => moment.format(new Date(iso)),
    /** 14:05 today, 3 November this year, 3 November 2024 before. */
    when(iso: string): string {
      const date = new Date(iso)
      const now = new Date()
      if (date.toDateString() === now.toDateString()) return clock.format(date)
      return (date.getFullYear() === now.getFullYear() ? day : dayYear).format(date)
    },
    bytes(value: number): string {
      let size = value
      let unit = 0
      while (size >= 1024 && unit < UNITS.length - 1) {
        size /= 1024
        unit++
      }
      const options: Intl.NumberFormatOptions = {
        style: 'unit',
        unit: UNITS[unit] ?? 'byte',
        unitDisplay: unit === 0 ? 'long' : 'short',
        maximumFractionDigits: size < 10 && unit > 0 ? 1 : 0,
      }
      return new Intl.NumberFormat(language, options).format(size)
    },
  }
}

export type Format = ReturnType<typeof makeFormat>

export function useFormat(): Format {
  const { language } = useStore(settings)
  return useMemo(() => makeFormat(language), [language])
}
