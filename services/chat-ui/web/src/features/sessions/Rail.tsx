import { useMemo, type ReactNode } from 'react'
import { Button, IconButton } from '@/components/Button'
import { Icon, Wheel } from '@/components/Icon'
import { Link } from '@/components/Link'
import { useFormat, useT } from '@/lib/i18n'
import { KEYS } from '@/lib/keys'
import { paths } from '@/lib/router'
import { useStore } from '@/lib/store'
import { groupSessions } from './model'
import { RailItem } from './RailItem'
import { loadOlderSessions, loadSessions, sessions } from './store'
import styles from './Rail.module.css'

interface RailProps {
  current: string | null
  documentsHref: string
  onDocumentsPage: boolean
  onNew: () => void
  onSearch: () => void
  onSettings: () => void
  onDeleted: (id: string) => void
  /** only in the drawer of a phone */
  closing?: ReactNode
}

export function Rail({ current, documentsHref, onDocumentsPage, onNew, onSearch, onSettings, onDeleted, closing }: RailProps) {
  const t = useT()
  const format = useFormat()
  const { items, status, cursor } = useStore(sessions)
  const groups = useMemo(() => groupSessions(items), [items])
  return (
    <nav className={styles.rail} aria-label={t('rail.label')}>
      <div className={styles.brand}>
        <Link href={paths.new()}>
          <Wheel />
          {t('app.name')}
        </Link>
        {closing}
      </div>
      <button type="button" className={styles.new} onClick={onNew}>
        {t('rail.new')}
        <kbd aria-hidden="true">{KEYS.newChat.join(' ')}</kbd>
      </button>
      <button type="button" className={styles.find} aria-haspopup="dialog" onClick={onSearch}>
        {t('rail.search')}
        <kbd aria-hidden="true">{KEYS.palette.join(' ')}</kbd>
      </button>
      <div className={styles.list}>
        {status === 'failed' && (
          <div className={styles.empty}>
            <p>{t('rail.failed')}</p>
            <Button onClick={() => void loadSessions()}>{t('app.retry')}</Button>
          </div>
        )}
        {status === 'ready' && items.length === 0 && <p className={styles.empty}>{t('rail.empty')}</p>}
        {groups.map((group) => (
          <section key={group.key} aria-labelledby={`group-${group.key}`}>
            <h2 id={`group-${group.key}`}>{group.label ? t(group.label) : format.month(group.date)}</h2>
            <ul>
              {group.sessions.map((session) => (
                <RailItem key={session.id} session={session} current={session.id === current} onDeleted={onDeleted} />
              ))}
            </ul>
          </section>
        ))}
        {cursor && (
          <Button tone="quiet" onClick={() => void loadOlderSessions()}>
            {t('rail.older')}
          </Button>
        )}
      </div>
      <div className={styles.foot}>
        <Link href={documentsHref} aria-current={onDocumentsPage ? 'page' : undefined}>
          <Icon name="file" />
          {t('rail.documents')}
        </Link>
        <IconButton icon="gear" label={t('rail.settings')} aria-haspopup="dialog" onClick={onSettings} />
      </div>
    </nav>
  )
}
