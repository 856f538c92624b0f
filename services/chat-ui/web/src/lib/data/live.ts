import { Store } from '@/lib/store'

/** What a screen reader hears next. A counter makes the same words heard twice. */
export const live = new Store<{ text: string; count: number }>({ text: '', count: 0 })

export function announce(text: string): void {
  live.set((current) => ({ text, count: current.count + 1 }))
}

export interface Toast {
  id: number
  text: string
  tone: 'plain' | 'bad'
  action?: { label: string; run: () => void }
}

export const toasts = new Store<readonly Toast[]>([])
let nextId = 1

export function dismissToast(id: number): void {
  toasts.set((current) => current.filter((toast) => toast.id !== id))
}

export function showToast(
  text: string,
  options: { tone?: Toast['tone']; action?: NonNullable<Toast['action']>; milliseconds?: number } = {},
): number {
  const id = nextId++
  const toast: Toast = { id, text, tone: options.tone ?? 'plain', ...(options.action ? { action: options.action } : {}) }
  toasts.set((current) => [...current.slice(-3), toast])
  setTimeout(() => dismissToast(id), options.milliseconds ?? 6000)
  return id
}

const pending = new Map<number, () => void>()

/** What can no longer be undone is done when the page is left. */
export function startUndo(): void {
  addEventListener('pagehide', () => {
    for (const commit of pending.values()) commit()
  })
}

/** Says what happened at once and does it after ten seconds, unless taken back; leaving the page does it too. */
export function withUndo(text: string, undoLabel: string, commit: () => void, undo: () => void): void {
  let settled = false
  const finish = (action: () => void) => {
    if (settled) return
    settled = true
    clearTimeout(timer)
    pending.delete(id)
    dismissToast(id)
    action()
  }
  const timer = setTimeout(() => finish(commit), 10_000)
  const id = showToast(text, { action: { label: undoLabel, run: () => finish(undo) }, milliseconds: 10_000 })
  pending.set(id, () => finish(commit))
}
