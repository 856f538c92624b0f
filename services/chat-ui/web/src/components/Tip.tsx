import { useEffect, useRef } from 'react'
import { place } from './place'
import styles from './Tip.module.css'

const DELAY = 250

/** One tooltip for the page: shows the `data-tip` of whatever the pointer rests on. */
export function Tip() {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const box = ref.current
    if (!box) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const hide = () => {
      clearTimeout(timer)
      if (box.matches(':popover-open')) box.hidePopover()
    }
    const onOver = (event: PointerEvent) => {
      const target = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-tip]') : null
      hide()
      if (!target) return
      const { clientX, clientY } = event
      timer = setTimeout(() => {
        // A sentence can run over several lines: the one under the pointer counts.
        const lines = [...target.getClientRects()]
        const line = lines.find((rect) => clientY >= rect.top && clientY <= rect.bottom) ?? lines[0]
        if (!line) return
        box.textContent = target.dataset.tip ?? ''
        box.showPopover()
        place(box, new DOMRect(clientX - 20, line.top, 40, line.height), 'top', 'start')
      }, DELAY)
    }
    document.addEventListener('pointerover', onOver)
    document.addEventListener('scroll', hide, { capture: true, passive: true })
    document.addEventListener('keydown', hide)
    return () => {
      hide()
      document.removeEventListener('pointerover', onOver)
      document.removeEventListener('scroll', hide, { capture: true })
      document.removeEventListener('keydown', hide)
    }
  }, [])
  return <div ref={ref} popover="manual" role="tooltip" className={styles.tip} />
}
