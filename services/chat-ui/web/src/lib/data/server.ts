import { api } from '@/lib/api/endpoints'
import { onReach } from '@/lib/api/client'
import type { Collection, Config } from '@/lib/api/types'
import { Store } from '@/lib/store'

export const config = new Store<Config | null>(null)
export const collections = new Store<readonly Collection[] | null>(null)
export const reach = new Store<{ online: boolean; expired: boolean }>({ online: true, expired: false })

let asking: Promise<void> | undefined
/** Whoever asks while an answer is on its way waits for that one. */
export function loadConfig(): Promise<void> {
  asking ??= api
    .config()
    .then(config.set)
    .finally(() => (asking = undefined))
  return asking
}

/** What is known of the server, asked for where a person was faster than the page's first calls. */
export async function knownConfig(): Promise<Config | null> {
  if (!config.get()) await loadConfig().catch(() => undefined)
  return config.get()
}

export async function loadCollections(): Promise<void> {
  collections.set((await api.collections()).items)
}

let soon: ReturnType<typeof setTimeout> | undefined
/** Counts change with every indexed document; many changes cause one reload. */
export function refreshCollections(): void {
  clearTimeout(soon)
  soon = setTimeout(() => void loadCollections().catch(() => undefined), 600)
}

/** Follows what every call and the browser say about the connection; asks again while it is gone. */
export function startServerState(): void {
  const set = (change: Partial<{ online: boolean; expired: boolean }>) =>
    reach.set((current) => {
      const next = { ...current, ...change }
      return next.online === current.online && next.expired === current.expired ? current : next
    })
  onReach(({ reachable, expired }) => set(reachable ? { online: true, expired } : { online: false }))
  addEventListener('offline', () => set({ online: false }))
  const probe = () => void Promise.all([loadConfig(), loadCollections()]).catch(() => undefined)
  addEventListener('online', probe)
  setInterval(() => {
    if (!reach.get().online && navigator.onLine) probe()
  }, 5000)
  probe()
}
