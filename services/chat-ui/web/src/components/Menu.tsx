import { cloneElement, useId, useRef, useState, type KeyboardEvent, type ReactElement } from 'react'
import { Icon, type IconName } from './Icon'
import { place } from './place'
import styles from './Menu.module.css'

export interface MenuItem {
  key: string
  label: string
  note?: string | undefined
  icon?: IconName
  checked?: boolean
  bad?: boolean
  separated?: boolean
  run: () => void
}

interface MenuProps {
  trigger: ReactElement<Record<string, unknown>>
  items: readonly MenuItem[]
  side?: 'top' | 'bottom'
  align?: 'start' | 'end'
}

/**
 * A menu on the browser's own popover: it lies above everything, closes on Escape or a press
 * elsewhere, and gives the focus back. Arrow keys, Home, End and first letters walk through it.
 */
export function Menu({ trigger, items, side = 'bottom', align = 'start' }: MenuProps) {
  const id = useId()
  const popup = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState(false)
  const rows = () => [...(popup.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])]

  const onToggle = () => {
    const box = popup.current
    const button = document.querySelector(`[popovertarget="${id}"]`)
    if (!box || !button || !box.matches(':popover-open')) return
    place(box, button.getBoundingClientRect(), side, align)
    const all = rows()
    ;(all.find((row) => row.getAttribute('aria-checked') === 'true') ?? all[0])?.focus()
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const all = rows()
    const at = all.findIndex((row) => row === document.activeElement)
    const to = (index: number) => {
      event.preventDefault()
      all[(index + all.length) % all.length]?.focus()
    }
    if (event.key === 'ArrowDown') to(at + 1)
    else if (event.key === 'ArrowUp') to(at - 1)
    else if (event.key === 'Home') to(0)
    else if (event.key === 'End') to(all.length - 1)
    else if (event.key === 'Tab') popup.current?.hidePopover()
    else if (event.key.length === 1 && /\S/.test(event.key)) {
      const letter = event.key.toLowerCase()
      const order = [...all.slice(at + 1), ...all.slice(0, at + 1)]
      order.find((row) => row.textContent?.toLowerCase().startsWith(letter))?.focus()
    }
  }

  const checkable = items.some((item) => item.checked !== undefined)
  return (
    <>
      {cloneElement(trigger, { popoverTarget: id, 'aria-haspopup': 'menu', 'aria-expanded': open })}
      <div
        ref={popup}
        id={id}
        popover="auto"
        role="menu"
        tabIndex={-1}
        className={styles.popup}
        onBeforeToggle={(event) => setOpen(event.newState === 'open')}
        onToggle={onToggle}
        onKeyDown={onKeyDown}
      >
        {open &&
          items.map((item) => (
            <MenuRow
              key={item.key}
              item={item}
              role={checkable && item.checked !== undefined ? 'menuitemradio' : 'menuitem'}
              onChoose={() => {
                popup.current?.hidePopover()
                item.run()
              }}
            />
          ))}
      </div>
    </>
  )
}

function MenuRow({ item, role, onChoose }: { item: MenuItem; role: 'menuitem' | 'menuitemradio'; onChoose: () => void }) {
  return (
    <>
      {item.separated && <div role="separator" className={styles.separator} />}
      <button
        type="button"
        role={role}
        aria-checked={role === 'menuitemradio' ? item.checked : undefined}
        tabIndex={-1}
        className={styles.item}
        data-bad={item.bad}
        onClick={onChoose}
        onMouseMove={(event) => event.currentTarget.focus({ preventScroll: true })}
      >
        {item.icon && <Icon name={item.icon} size={16} />}
        <span className={styles.label}>{item.label}</span>
        {item.note && <span className={styles.note}>{item.note}</span>}
        {item.checked && <Icon name="check" size={16} />}
      </button>
    </>
  )
}
