import { useEffect, useMemo, useState } from 'react'
import { api } from '@/lib/api/endpoints'
import { plainTitle } from '@/lib/data/names'
import { collections } from '@/lib/data/server'
import { useT, type MessageKey } from '@/lib/i18n'
import { useStore } from '@/lib/store'

const TEMPLATES: readonly MessageKey[] = ['start.q1', 'start.q2', 'start.q3']

/** Three questions made from titles that are really there; none when none is. */
export function useSuggestions(wanted: boolean, collection: string | null): string[] {
  const t = useT()
  const all = useStore(collections)
  const [titles, setTitles] = useState<readonly string[]>([])
  const from = useMemo(() => {
    if (!wanted) return ''
    if (collection !== null) return collection
    const filled = all?.filter((candidate) => candidate.indexed_count > 0) ?? []
    return filled.slice(0, 3).map((candidate) => candidate.name).join('/')
  }, [wanted, collection, all])

  useEffect(() => {
    let current = true
    const names = from.split('/').filter(Boolean)
    void Promise.all(names.map((name) => api.documents(name, { status: 'indexed', limit: 3 }).catch(() => null))).then(
      (pages) => {
        if (!current) return
        const perCollection = pages.map((page) => page?.items.map((document) => plainTitle(document.title)) ?? [])
        // One of each collection first, then the second of each.
        const mixed = [0, 1, 2].flatMap((rank) => perCollection.flatMap((list) => list.slice(rank, rank + 1)))
        setTitles([...new Set(mixed)].slice(0, 3))
      },
    )
    return () => {
      current = false
    }
  }, [from])

  // Fewer than three documents: several questions about one of them.
  return TEMPLATES.flatMap((key, index) => {
    const title = titles[index % Math.max(titles.length, 1)]
    return title ? [t(key, { title })] : []
  })
}
