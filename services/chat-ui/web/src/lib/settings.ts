import { storage } from './storage'
import { Store } from './store'

export const THEMES = ['system', 'light', 'dark'] as const
export const LANGUAGES = ['en', 'zh', 'vi'] as const
export type Theme = (typeof THEMES)[number]
export type Language = (typeof LANGUAGES)[number]

export interface Settings {
  theme: Theme
  language: Language
}

const oneOf = <T extends string>(values: readonly T[], value: unknown): T | null =>
  values.find((candidate) => candidate === value) ?? null

function preferredLanguage(): Language {
  for (const tag of navigator.languages) {
    const known = oneOf(LANGUAGES, tag.toLowerCase().split('-')[0])
    if (known) return known
  }
  return 'en'
}

function load(): Settings {
  let saved: Partial<Record<keyof Settings, unknown>> = {}
  try {
    saved = JSON.parse(storage.read('settings') ?? '{}') as typeof saved
  } catch {
    // A damaged value counts as none.
  }
  return {
    theme: oneOf(THEMES, saved.theme) ?? 'system',
    language: oneOf(LANGUAGES, saved.language) ?? preferredLanguage(),
  }
}

export const settings = new Store<Settings>(load())

function apply({ theme, language }: Settings): void {
  const root = document.documentElement
  if (theme === 'system') delete root.dataset.theme
  else root.dataset.theme = theme
  root.lang = language === 'zh' ? 'zh-Hans' : language
}

export function startSettings(): void {
  apply(settings.get())
  settings.subscribe(() => {
    apply(settings.get())
    storage.write('settings', JSON.stringify(settings.get()))
  })
}
