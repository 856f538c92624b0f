import { Icon } from '@/components/Icon'
import { Menu, type MenuItem } from '@/components/Menu'
import { collectionLabel } from '@/lib/data/names'
import { collections } from '@/lib/data/server'
import { useFormat, useT } from '@/lib/i18n'
import { navigate, paths } from '@/lib/router'
import { useStore } from '@/lib/store'
import styles from './CollectionPicker.module.css'

interface CollectionPickerProps {
  value: string | null
  onChange: (collection: string | null) => void
  onNew: () => void
  /** on the page of documents there is no "all" */
  one?: boolean
}

/** What is searched; also the way to its documents and to a new collection. */
export function CollectionPicker({ value, onChange, onNew, one }: CollectionPickerProps) {
  const t = useT()
  const format = useFormat()
  const list = useStore(collections) ?? []
  const label = collectionLabel(value, t)
  const items: MenuItem[] = [
    ...(one ? [] : [{ key: '*all', label: t('collection.all'), checked: value === null, run: () => onChange(null) }]),
    ...list.map((collection, index) => ({
      key: collection.name,
      label: collectionLabel(collection.name, t),
      note: format.number(collection.document_count),
      checked: value === collection.name,
      separated: index === 0 && !one,
      run: () => onChange(collection.name),
    })),
  ]
  const shown = value ?? list[0]?.name
  if (!one && shown) {
    items.push({
      key: '*docs',
      label: t('collection.manage'),
      icon: 'file',
      separated: true,
      run: () => navigate(paths.documents(shown)),
    })
  }
  items.push({ key: '*new', label: t('collection.new'), icon: 'plus', separated: one ?? !shown, run: onNew })
  return (
    <Menu
      side={one ? 'bottom' : 'top'}
      items={items}
      trigger={
        <button type="button" className={styles.chip} aria-label={t('collection.pick', { name: label })} data-testid="collection-picker">
          <span>{label}</span>
          <Icon name="chevron" size={14} />
        </button>
      }
    />
  )
}
