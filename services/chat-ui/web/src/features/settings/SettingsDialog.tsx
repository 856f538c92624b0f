import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field } from '@/components/Field'
import { config } from '@/lib/data/server'
import { useT } from '@/lib/i18n'
import { LANGUAGES, settings, THEMES, type Language } from '@/lib/settings'
import { useStore } from '@/lib/store'
import styles from './Settings.module.css'

/** Every language is called what its readers call it. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', zh: '中文', vi: 'Tiếng Việt' }

export function SettingsDialog({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  const t = useT()
  const current = useStore(settings)
  const server = useStore(config)
  const model = server?.model
  return (
    <Dialog title={t('settings.title')} onClose={onClose}>
      <Field.Choice
        legend={t('settings.theme')}
        value={current.theme}
        options={THEMES.map((value) => ({ value, label: t(`settings.theme.${value}`) }))}
        onChange={(theme) => settings.set({ ...current, theme })}
      />
      <Field.Choice
        legend={t('settings.language')}
        value={current.language}
        options={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))}
        onChange={(language) => settings.set({ ...current, language })}
      />
      <div className={styles.about}>
        {server && <p>{t('settings.version', { version: server.version })}</p>}
        {model && (
          <p>
            {model.name === null
              ? t('settings.modelNone')
              : t(model.available ? 'settings.model' : 'settings.modelDown', { model: model.name })}
          </p>
        )}
      </div>
      <Button onClick={onShortcuts}>{t('settings.shortcuts')}</Button>
    </Dialog>
  )
}
