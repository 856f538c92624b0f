import { createContext } from 'react'

export interface CiteContext {
  /** title of source n, for the button's name */
  titleOf: (n: number) => string | null
  /** the number that is open in the source panel, if it belongs to this answer */
  openN: number | null
  open: (n: number) => void
}

export const Cites = createContext<CiteContext>({ titleOf: () => null, openN: null, open: () => undefined })
