import { useCallback, useState } from 'react'
import { storage } from '@/lib/storage'

/** What was typed survives a reload, a crash and a visit to another chat. */
export function useDraft(key: string): [string, (text: string) => void] {
  const [state, setState] = useState(() => ({ key, text: storage.read(`draft.${key}`) ?? '' }))
  const current = state.key === key ? state : { key, text: storage.read(`draft.${key}`) ?? '' }
  if (current !== state) setState(current)
  const set = useCallback(
    (text: string) => {
      setState({ key, text })
      storage.write(`draft.${key}`, text)
    },
    [key],
  )
  return [current.text, set]
}
