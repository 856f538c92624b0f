import { IconButton } from '@/components/Button'
import { collectionLabel } from '@/lib/data/names'
import { collections } from '@/lib/data/server'
import { useIsPhone } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { useStore } from '@/lib/store'
import styles from './App.module.css'

interface TopBarProps {
  title: string
  /** pages with a heading of their own need none here */
  heading: boolean
  /** what is searched; undefined on pages where nothing is */
  collection: string | null | undefined
  onMenu: () => void
  onNew: () => void
}

export function TopBar({ title, heading, collection, onMenu, onNew }: TopBarProps) {
  const t = useT()
  const phone = useIsPhone()
  const Title = heading ? 'h1' : 'b'
  const list = useStore(collections)
  const n =
    list === null || collection === undefined
      ? null
      : list.reduce((sum, each) => sum + (collection === null || each.name === collection ? each.document_count : 0), 0)
  return (
    <header className={styles.top}>
      {phone && <IconButton icon="menu" label={t('rail.open')} aria-haspopup="dialog" onClick={onMenu} />}
      <Title dir="auto">{title}</Title>
      <span className={styles.space} />
      {!phone && n !== null && collection !== undefined && (
        <span className={styles.where}>{t('chat.documents', { name: collectionLabel(collection, t), n })}</span>
      )}
      {phone && <IconButton icon="plus" label={t('rail.new')} onClick={onNew} />}
    </header>
  )
}
