import { memo, useEffect, useRef, useState } from 'react'
import { IconButton } from '@/components/Button'
import { Link } from '@/components/Link'
import { Menu } from '@/components/Menu'
import { api } from '@/lib/api/endpoints'
import type { Session } from '@/lib/api/types'
import { showToast, withUndo } from '@/lib/data/live'
import { isComposing } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { paths } from '@/lib/router'
import { hideSession, showSession, upsertSession } from './store'
import styles from './Rail.module.css'

interface RailItemProps {
  session: Session
  current: boolean
  onDeleted: (id: string) => void
}

export const RailItem = memo(function RailItem({ session, current, onDeleted }: RailItemProps) {
  const t = useT()
  const [renaming, setRenaming] = useState(false)
  const title = session.title || t('rail.untitled')

  const remove = () => {
    hideSession(session.id)
    onDeleted(session.id)
    withUndo(
      t('rail.deleted'),
      t('app.undo'),
      () => void api.deleteSession(session.id).catch(() => showSession(session)),
      () => showSession(session),
    )
  }

  if (renaming) {
    return (
      <li className={styles.item}>
        <Rename session={session} onDone={() => setRenaming(false)} />
      </li>
    )
  }
  return (
    <li className={styles.item} data-current={current}>
      <Link href={paths.session(session.id)} aria-current={current ? 'page' : undefined} onDoubleClick={() => setRenaming(true)}>
        {session.active_run_id && <i className={styles.running} title={t('rail.running')} />}
        <span dir="auto">{title}</span>
        {session.active_run_id && <span className="sr-only"> ({t('rail.running')})</span>}
      </Link>
      <Menu
        align="end"
        trigger={<IconButton icon="more" size={16} className={styles.more} label={t('rail.actions', { title })} />}
        items={[
          { key: 'rename', label: t('rail.rename'), icon: 'pencil', run: () => setRenaming(true) },
          { key: 'delete', label: t('app.delete'), icon: 'trash', bad: true, run: remove },
        ]}
      />
    </li>
  )
})

function Rename({ session, onDone }: { session: Session; onDone: () => void }) {
  const t = useT()
  const [title, setTitle] = useState(session.title)
  const ref = useRef<HTMLInputElement>(null)
  const finished = useRef(false)
  useEffect(() => {
    // The menu gives the focus back to its button first.
    const timer = setTimeout(() => ref.current?.select(), 60)
    return () => clearTimeout(timer)
  }, [])
  const finish = (save: boolean) => {
    if (finished.current) return
    finished.current = true
    onDone()
    const next = title.trim()
    if (!save || !next || next === session.title) return
    upsertSession({ ...session, title: next })
    api.updateSession(session.id, { title: next }).then(upsertSession, (error: Error) => {
      upsertSession(session)
      showToast(error.message, { tone: 'bad' })
    })
  }
  return (
    <input
      ref={ref}
      className={styles.rename}
      aria-label={t('rail.renameLabel')}
      value={title}
      maxLength={200}
      onChange={(event) => setTitle(event.target.value)}
      onBlur={() => {
        if (document.hasFocus() && document.activeElement !== ref.current) finish(true)
      }}
      onKeyDown={(event) => {
        if (isComposing(event)) return
        if (event.key === 'Enter') finish(true)
        if (event.key === 'Escape') {
          event.stopPropagation()
          finish(false)
        }
      }}
    />
  )
}
