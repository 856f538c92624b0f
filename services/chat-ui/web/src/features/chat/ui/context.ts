import { createContext } from 'react'
import type { Message, Rating } from '@/lib/api/types'

/** What a message can ask of its conversation. One stable object, so that rows stay memoised. */
export interface ChatActions {
  openSource: (message: Message, n: number) => void
  tryAgain: (message: Message) => void
  goOn: (message: Message) => void
  edit: (message: Message) => void
  sendEdit: (message: Message, content: string) => void
  cancelEdit: () => void
  rate: (message: Message, rating: Rating) => void
  why: (message: Message) => void
  searchAll: (message: Message) => void
  rephrase: (message: Message) => void
  upload: () => void
}

const nothing = () => undefined

export const Actions = createContext<ChatActions>({
  openSource: nothing,
  tryAgain: nothing,
  goOn: nothing,
  edit: nothing,
  sendEdit: nothing,
  cancelEdit: nothing,
  rate: nothing,
  why: nothing,
  searchAll: nothing,
  rephrase: nothing,
  upload: nothing,
})
