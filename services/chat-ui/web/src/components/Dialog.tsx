import { useEffect, useId, useRef, type ReactNode } from 'react'
import { useT } from '@/lib/i18n'
import { IconButton } from './Button'
import styles from './Dialog.module.css'

interface ModalProps {
  onClose: () => void
  className?: string | undefined
  label?: string
  labelledBy?: string
  children: ReactNode
}

/** The native modal: the browser keeps the focus inside, closes it on Escape and gives the focus back. */
export function Modal({ onClose, className = '', label, labelledBy, children }: ModalProps) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = ref.current
    const before = document.activeElement
    if (dialog && !dialog.open) dialog.showModal()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [])
  return (
    // A press on the backdrop is a press on the dialog element itself. Escape does the same for the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events
    <dialog
      ref={ref}
      className={className}
      aria-label={label}
      aria-labelledby={labelledBy}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose()
      }}
    >
      {children}
    </dialog>
  )
}

export function Dialog({ title, onClose, wide, children }: { title: string; onClose: () => void; wide?: boolean; children: ReactNode }) {
  const t = useT()
  const id = useId()
  return (
    <Modal onClose={onClose} labelledBy={id} className={`${styles.dialog} ${wide ? styles.wide : ''}`}>
      <div className={styles.body}>
        <header className={styles.header}>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label={t('app.close')} onClick={onClose} />
        </header>
        {children}
      </div>
    </Modal>
  )
}
