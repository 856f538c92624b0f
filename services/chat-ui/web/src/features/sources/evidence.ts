import type { Message, Span } from '@/lib/api/types'
import { toUtf16 } from '@/lib/text/offsets'

/** What stands behind one number of an answer. */
export interface Evidence {
  n: number
  documentId: string
  collection: string
  title: string
  page: number | null
  heading: string | null
  score: number | null
  /** the passage that was read, in code points of the document's text */
  passage: Span
  /** the words to mark: the quotes, or the whole passage while there are none yet */
  marks: Span[]
  /** the marked words themselves, for copying and for documents that are gone */
  quotes: string[]
}

/** One entry for each number: those that are quoted, or everything that was read while nothing is quoted. */
export function evidenceOf(message: Message, wanted: number): Evidence[] {
  const byNumber = new Map<number, Evidence>()
  for (const source of message.sources) {
    byNumber.set(source.n, {
      n: source.n,
      documentId: source.document_id,
      collection: source.collection,
      title: source.title,
      page: source.page ?? null,
      heading: source.heading ?? null,
      score: source.score,
      passage: { start: source.start, end: source.end },
      marks: [{ start: source.start, end: source.end }],
      quotes: [source.text],
    })
  }
  const quoted = new Set<number>()
  for (const citation of message.citations) {
    const span = { start: citation.start, end: citation.end }
    const known = byNumber.get(citation.n)
    const first = !quoted.has(citation.n)
    quoted.add(citation.n)
    byNumber.set(citation.n, {
      n: citation.n,
      documentId: citation.document_id,
      collection: citation.collection,
      title: citation.title,
      page: citation.page ?? known?.page ?? null,
      heading: known?.heading ?? null,
      score: citation.score ?? known?.score ?? null,
      passage: known?.passage ?? span,
      marks: first || !known ? [span] : [...known.marks, span],
      quotes: first || !known ? [citation.quote] : [...known.quotes, citation.quote],
    })
  }
  return [...byNumber.values()]
    .filter(({ n }) => quoted.size === 0 || quoted.has(n) || n === wanted)
    .sort((a, b) => a.n - b.n)
}

/**
 * Whether other words stand at the marked places by now: the document has a newer version. A window that is
 * of another document, or does not reach the passage yet, says nothing.
 */
export function hasChanged(
  { documentId, passage, marks, quotes }: Evidence,
  window: { documentId: string; text: string; start: number; end: number; total: number },
): boolean {
  const reached = window.start <= passage.start && (window.end >= passage.end || window.end >= window.total)
  if (window.documentId !== documentId || !reached) return false
  const places = toUtf16(
    window.text,
    marks.flatMap((mark) => [mark.start - window.start, mark.end - window.start]),
  )
  return quotes.some((quote, i) => window.text.slice(places[2 * i], places[2 * i + 1]) !== quote)
}
