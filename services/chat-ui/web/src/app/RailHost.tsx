import { useCallback } from 'react'
import { IconButton } from '@/components/Button'
import { Modal } from '@/components/Dialog'
import { Rail } from '@/features/sessions/Rail'
import { useIsPhone } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { navigate, parseRoute, paths } from '@/lib/router'
import type { Overlay } from './Overlays'
import styles from './App.module.css'

interface RailHostProps {
  current: string | null
  documentsHref: string
  onDocumentsPage: boolean
  drawer: boolean
  setOverlay: (overlay: Overlay) => void
  onNew: () => void
}

/** The list of chats: a column, or a drawer behind the menu button of a phone. */
export function RailHost({ drawer, setOverlay, onNew, ...rest }: RailHostProps) {
  const t = useT()
  const phone = useIsPhone()
  const deleted = useCallback((id: string) => {
    const shown = parseRoute(location.pathname)
    if (shown.name === 'session' && shown.id === id) navigate(paths.new())
  }, [])
  const rail = {
    ...rest,
    onDeleted: deleted,
    onSearch: () => setOverlay('palette'),
    onSettings: () => setOverlay('settings'),
  }
  if (!phone) {
    return (
      <div className={styles.rail}>
        <Rail {...rail} onNew={onNew} />
      </div>
    )
  }
  if (!drawer) return null
  const close = () => setOverlay(null)
  return (
    <Modal label={t('rail.label')} className={styles.drawer} onClose={close}>
      {/* Following a link in the drawer closes it. */}
      {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events */}
      <div
        className={styles.drawerBody}
        onClick={(event) => {
          if (event.target instanceof Element && event.target.closest('a')) close()
        }}
      >
        <Rail
          {...rail}
          closing={<IconButton icon="close" label={t('app.close')} onClick={close} />}
          onNew={() => {
            close()
            onNew()
          }}
        />
      </div>
    </Modal>
  )
}
