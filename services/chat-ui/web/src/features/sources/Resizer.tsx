import { useEffect, useState } from 'react'
import { useT } from '@/lib/i18n'
import { storage } from '@/lib/storage'
import styles from './SourceHost.module.css'

const MIN = 320
const MAX = 720
const USUAL = 408
const KEY = 'source-width'

const clamp = (width: number) => Math.min(Math.max(width, MIN), Math.min(MAX, Math.max(MIN, innerWidth - 264 - 420)))

/** The line between conversation and source; dragged, or moved with the arrow keys. Its place is kept. */
export function Resizer() {
  const t = useT()
  const [width, setWidth] = useState(() => clamp(Number(storage.read(KEY)) || USUAL))
  useEffect(() => {
    document.documentElement.style.setProperty('--source', `${width}px`)
    storage.write(KEY, String(width))
  }, [width])
  return (
    // A focusable separator is a widget (ARIA 1.2, "separator"); the lint rule knows only the static kind.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t('source.resize')}
      aria-valuenow={width}
      aria-valuemin={MIN}
      aria-valuemax={MAX}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className={styles.resizer}
      onPointerDown={(event) => {
        event.preventDefault()
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) setWidth(clamp(innerWidth - event.clientX))
      }}
      onDoubleClick={() => setWidth(clamp(USUAL))}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowLeft' ? 24 : event.key === 'ArrowRight' ? -24 : 0
        if (step === 0) return
        event.preventDefault()
        setWidth((current) => clamp(current + step))
      }}
    />
  )
}
