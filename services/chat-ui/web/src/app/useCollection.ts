import { useCallback, useState } from 'react'
import { upsertSession } from '@/features/sessions/store'
import { api } from '@/lib/api/endpoints'
import type { Session } from '@/lib/api/types'
import { showToast } from '@/lib/data/live'
import { collections } from '@/lib/data/server'
import { storage } from '@/lib/storage'
import { useStore } from '@/lib/store'

/** What is searched: kept with each chat on the server, for a new chat in this browser. */
export function useCollection(session: Session | null): [string | null, (name: string | null) => void] {
  const known = useStore(collections)
  const [usual, setUsual] = useState(() => storage.read('collection'))
  const wanted = session ? session.collection : usual
  const exists = wanted === null || known === null || known.some((collection) => collection.name === wanted)
  const choose = useCallback(
    (name: string | null) => {
      setUsual(name)
      storage.write('collection', name)
      if (!session) return
      upsertSession({ ...session, collection: name })
      api.updateSession(session.id, { collection: name }).then(upsertSession, (error: Error) => {
        upsertSession(session)
        showToast(error.message, { tone: 'bad' })
      })
    },
    [session],
  )
  return [exists ? wanted : null, choose]
}
