import { useCallback, useEffect, useRef, useState } from 'react'

const NEAR = 56

/**
 * Keeps the end in view while the person is there; once they scroll up, nothing moves
 * and `away` says that "Latest" may be offered.
 */
export function useStick() {
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const sticking = useRef(true)
  const [away, setAway] = useState(false)

  const toEnd = useCallback(() => {
    sticking.current = true
    setAway(false)
    const box = scroller.current
    if (box) box.scrollTop = box.scrollHeight
  }, [])

  useEffect(() => {
    const box = scroller.current
    const inner = content.current
    if (!box || !inner) return
    let last = box.scrollTop
    const onScroll = () => {
      const distance = box.scrollHeight - box.scrollTop - box.clientHeight
      // Growing text also fires scroll events; only moving up is the person's own doing.
      if (box.scrollTop < last - 2 && distance > NEAR) sticking.current = false
      if (distance <= NEAR) sticking.current = true
      last = box.scrollTop
      setAway(distance > NEAR && !sticking.current)
    }
    const observer = new ResizeObserver(() => {
      if (sticking.current) box.scrollTop = box.scrollHeight
    })
    box.addEventListener('scroll', onScroll, { passive: true })
    observer.observe(inner)
    observer.observe(box)
    return () => {
      box.removeEventListener('scroll', onScroll)
      observer.disconnect()
    }
  }, [])

  /** Content was put above what is read: the reading position stays. */
  const shift = useCallback((pixels: number) => {
    if (scroller.current && !sticking.current) scroller.current.scrollTop += pixels
  }, [])

  return { scroller, content, away, toEnd, shift }
}
