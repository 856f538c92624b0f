import { useState } from 'react'
import { IconButton } from '@/components/Button'
import { Modal } from '@/components/Dialog'
import { useIsPhone, useIsWide } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { Resizer } from './Resizer'
import { SourcePanel, type SourcePanelProps } from './SourcePanel'
import styles from './SourceHost.module.css'

/** The same panel as a column, as a sheet from the right, or as a sheet from below. */
export function SourceHost(props: SourcePanelProps) {
  const t = useT()
  const wide = useIsWide()
  const phone = useIsPhone()
  const [full, setFull] = useState(false)
  if (wide) {
    return (
      <aside className={styles.column} aria-label={t('source.label')}>
        <Resizer />
        <SourcePanel {...props} />
      </aside>
    )
  }
  return (
    <Modal onClose={props.onClose} label={t('source.label')} className={`${phone ? styles.bottom : styles.right} ${full ? styles.full : ''}`}>
      <SourcePanel
        {...props}
        tools={
          phone && (
            <IconButton
              icon={full ? 'chevron' : 'sheet'}
              label={t(full ? 'source.shrink' : 'source.expand')}
              onClick={() => setFull(!full)}
            />
          )
        }
      />
    </Modal>
  )
}
