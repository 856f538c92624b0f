import type { Nodes, Parent, PhrasingContent, Root, Text } from 'mdast'

interface Range {
  start: number
  end: number
}

type Element = PhrasingContent & { data: { hName: string; hProperties: Record<string, string> } }

/** An mdast node that becomes the given element; react-markdown's `components` draws it. */
function element(hName: string, hProperties: Record<string, string>, children: PhrasingContent[]): Element {
  return { type: 'emphasis', children, data: { hName, hProperties } } as Element
}

const SKIPPED = new Set(['link', 'linkReference', 'code', 'inlineCode', 'html', 'image'])

function mapTexts(node: Nodes, map: (text: Text) => PhrasingContent[], skip: ReadonlySet<string>): void {
  if (!('children' in node)) return
  const parent = node as Parent
  parent.children = parent.children.flatMap<Parent['children'][number]>((child) => {
    if (child.type === 'text') return map(child)
    if (!skip.has(child.type)) mapTexts(child as Nodes, map, skip)
    return [child]
  })
}

const CITATION = /\[(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\]/g

/** Stands for a bracket that was escaped, until the citations are found; a character that no text has. */
const LITERAL = '\uE0FF'

/** A bracket with a backslash before it belongs to a quoted document and is no citation. Runs before the others. */
export function remarkKeepEscapes() {
  return (tree: Root, file: { value: unknown }): void => {
    const source = String(file.value)
    if (!source.includes('\\[')) return
    mapTexts(tree, (text) => [{ ...text, value: hideEscaped(text, source) }], NO_CODE)
  }
}

function hideEscaped(text: Text, source: string): string {
  const { start, end } = text.position ?? {}
  // Every bracket of the value is one of the source, in the same order; the source still has the backslash.
  const brackets = [...source.slice(start?.offset, end?.offset).matchAll(/(\\?)\[/g)]
  let index = 0
  return text.value.replace(/\[/g, () => (brackets[index++]?.[1] ? LITERAL : '['))
}

/** Puts the brackets back. Runs after the others. */
export function remarkShowEscapes() {
  return (tree: Root): void => mapTexts(tree, (text) => [{ ...text, value: text.value.replaceAll(LITERAL, '[') }], NO_CODE)
}

/** What may not be parted from a number: a word, or the last two characters of a script without spaces. */
const LAST_WORD = /(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]\p{P}?|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{1,24})$/u

/** `[1]` and `[1, 2]` become `<cite-button n>`; numbers that name no source stay text. */
export function remarkCitations(options: { known: ReadonlySet<number> }) {
  return (tree: Root): void => mapTexts(tree, (text) => citations(text, options.known), SKIPPED)
}

function citations(text: Text, known: ReadonlySet<number>): PhrasingContent[] {
  const parts: PhrasingContent[] = []
  let from = 0
  for (const match of text.value.matchAll(CITATION)) {
    const numbers = (match[1] ?? '').split(/[,，、]/).map(Number)
    if (!numbers.every((n) => known.has(n))) continue
    // No space between a sentence and its number, and the last word stays with it: a number never begins a line.
    const before = text.value.slice(from, match.index).replace(/[ \t]+$/, '')
    const word = LAST_WORD.exec(before)?.[0] ?? ''
    if (before.length > word.length) parts.push({ type: 'text', value: before.slice(0, before.length - word.length) })
    const buttons = numbers.map((n) => element('cite-button', { n: String(n) }, []))
    parts.push(element('cite-group', {}, [...(word ? [{ type: 'text' as const, value: word }] : []), ...buttons]))
    from = match.index + match[0].length
  }
  if (from === 0) return [text]
  if (from < text.value.length) parts.push({ type: 'text', value: text.value.slice(from) })
  return parts
}

const NO_CODE = new Set(['code', 'html', 'image'])

/** Wraps the text of each range in `<weak-text>`; the last piece of a range carries `last`, to be read out once. */
export function remarkUnsupported(options: { ranges: readonly Range[] }) {
  return (tree: Root): void => {
    if (options.ranges.length === 0) return
    const lastPiece = new Map<Range, Element>()
    mapTexts(tree, (text) => unsupported(text, options.ranges, lastPiece), NO_CODE)
    for (const piece of lastPiece.values()) piece.data.hProperties.last = 'true'
  }
}

function unsupported(text: Text, ranges: readonly Range[], lastPiece: Map<Range, Element>): PhrasingContent[] {
  const start = text.position?.start.offset
  const end = text.position?.end.offset
  if (start === undefined || end === undefined) return [text]
  // Escapes and entities make the source longer than the value; then offsets are only right in proportion.
  const scale = end > start ? text.value.length / (end - start) : 1
  const index = (offset: number) => Math.round((Math.min(Math.max(offset, start), end) - start) * scale)
  const parts: PhrasingContent[] = []
  let from = 0
  for (const range of ranges) {
    const a = index(range.start)
    const b = index(range.end)
    if (range.end <= start || range.start >= end || b <= a) continue
    if (a > from) parts.push({ type: 'text', value: text.value.slice(from, a) })
    const piece = element('weak-text', {}, [{ type: 'text', value: text.value.slice(Math.max(a, from), b) }])
    parts.push(piece)
    lastPiece.set(range, piece)
    from = b
  }
  if (from === 0 && parts.length === 0) return [text]
  if (from < text.value.length) parts.push({ type: 'text', value: text.value.slice(from) })
  return parts
}
