import { useEffect, useRef } from 'react'
import { isComposing, isTyping } from '@/lib/hooks'

export interface Shortcuts {
  palette: () => void
  newChat: () => void
  focus: () => void
  /** true when there was something to stop or close */
  escape: () => boolean
  walk: (step: 1 | -1) => void
  help: () => void
}

/** One listener for the keys of the whole page. A modal dialog has the keyboard for itself. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isComposing(event)) return
      const keys = latest.current
      const control = event.ctrlKey || event.metaKey
      const modal = document.querySelector('dialog[open]:not(:has([data-testid=source-panel])), [role=menu]:popover-open') !== null
      const act = (action: () => void) => {
        event.preventDefault()
        action()
      }
      if (control && !event.shiftKey && event.key.toLowerCase() === 'k') return act(keys.palette)
      if (modal) return
      if (control && event.shiftKey && event.key.toLowerCase() === 'o') return act(keys.newChat)
      if (event.key === 'Escape') {
        if (keys.escape()) event.preventDefault()
        return
      }
      if (control || event.altKey || isTyping(event.target)) return
      if (event.key === '/') act(keys.focus)
      else if (event.key === '?') act(keys.help)
      else if (event.key === '[') act(() => keys.walk(-1))
      else if (event.key === ']') act(() => keys.walk(1))
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
}
