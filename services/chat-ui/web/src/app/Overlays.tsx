import { useMemo } from 'react'
import { CollectionSettings } from '@/features/documents/CollectionSettings'
import { NewCollection } from '@/features/documents/NewCollection'
import { Palette, type PaletteAction } from '@/features/sessions/Palette'
import { LANGUAGE_NAMES, SettingsDialog } from '@/features/settings/SettingsDialog'
import { ShortcutsDialog } from '@/features/settings/ShortcutsDialog'
import type { Collection } from '@/lib/api/types'
import { useT } from '@/lib/i18n'
import { KEYS } from '@/lib/keys'
import { navigate, paths } from '@/lib/router'
import { LANGUAGES, settings, THEMES } from '@/lib/settings'
import { useStore } from '@/lib/store'

export type Overlay = 'palette' | 'settings' | 'keys' | 'new-collection' | 'collection-settings' | 'rail' | null

interface OverlaysProps {
  overlay: Overlay
  setOverlay: (overlay: Overlay) => void
  collection: Collection | null
  documentsHref: string
  onNew: () => void
  onUpload: (kind: 'files' | 'folder') => void
  onCollectionCreated: (name: string) => void
}

export function Overlays(props: OverlaysProps) {
  const { overlay, setOverlay, collection, onCollectionCreated } = props
  const actions = usePaletteActions(props)
  const close = () => setOverlay(null)
  if (overlay === 'palette') return <Palette actions={actions} onClose={close} />
  if (overlay === 'settings') return <SettingsDialog onClose={close} onShortcuts={() => setOverlay('keys')} />
  if (overlay === 'keys') return <ShortcutsDialog onClose={close} />
  if (overlay === 'new-collection') return <NewCollection onClose={close} onCreated={onCollectionCreated} />
  if (overlay === 'collection-settings' && collection) {
    return <CollectionSettings collection={collection} onClose={close} onDeleted={() => navigate(paths.new())} />
  }
  return null
}

function usePaletteActions({ setOverlay, documentsHref, onNew, onUpload }: OverlaysProps): PaletteAction[] {
  const t = useT()
  const current = useStore(settings)
  return useMemo(() => {
    const change = (next: Partial<typeof current>) => () => settings.set({ ...settings.get(), ...next })
    return [
      { id: 'new', label: t('rail.new'), icon: 'pencil', keys: KEYS.newChat.join(' '), run: onNew },
      { id: 'documents', label: t('rail.documents'), icon: 'file', run: () => navigate(documentsHref) },
      { id: 'upload', label: t('composer.attach'), icon: 'plus', run: () => onUpload('files') },
      { id: 'collection', label: t('collection.new'), icon: 'folder', run: () => setOverlay('new-collection') },
      { id: 'settings', label: t('rail.settings'), icon: 'gear', run: () => setOverlay('settings') },
      { id: 'keys', label: t('keys.title'), icon: 'search', keys: '?', run: () => setOverlay('keys') },
      ...THEMES.filter((theme) => theme !== current.theme).map(
        (theme): PaletteAction => ({
          id: `theme-${theme}`,
          label: t('palette.theme', { name: t(`settings.theme.${theme}`) }),
          icon: 'gear',
          run: change({ theme }),
        }),
      ),
      ...LANGUAGES.filter((language) => language !== current.language).map(
        (language): PaletteAction => ({
          id: `language-${language}`,
          label: t('palette.language', { name: LANGUAGE_NAMES[language] }),
          icon: 'gear',
          run: change({ language }),
        }),
      ),
    ]
  }, [t, current, documentsHref, onNew, onUpload, setOverlay])
}
