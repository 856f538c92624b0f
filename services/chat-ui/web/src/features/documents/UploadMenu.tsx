import { IconButton } from '@/components/Button'
import { Menu } from '@/components/Menu'
import { useT } from '@/lib/i18n'

export function UploadMenu({ onChoose }: { onChoose: (kind: 'files' | 'folder') => void }) {
  const t = useT()
  return (
    <Menu
      side="top"
      trigger={<IconButton icon="plus" label={t('composer.attach')} />}
      items={[
        { key: 'files', label: t('composer.files'), icon: 'file', run: () => onChoose('files') },
        { key: 'folder', label: t('composer.folder'), icon: 'folder', run: () => onChoose('folder') },
      ]}
    />
  )
}
