/**
 * A light reading view of extracted text: headings, lists, code and emphasis get their shape, but every
 * piece keeps its place in the text, so that a passage can be marked to the character.
 */
export interface Piece {
  start: number
  end: number
  style: 'plain' | 'code' | 'strong'
}

export interface TextBlock {
  kind: 'heading' | 'paragraph' | 'item' | 'code' | 'table'
  level: number
  pieces: Piece[]
}

interface Line {
  start: number
  end: number
  text: string
}

const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*(\S*)/
const HEADING = /^(#{1,6})[ \t]+/
const UNDERLINE = /^(={3,}|-{3,}|~{3,}|\^{3,})\s*$/
const ITEM = /^(\s*)([-*+•]|\d{1,3}[.)])[ \t]+/
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^\]\n]+)\]\((?:[^()\s]|\([^()]*\))+\)/g

export function linesOf(text: string): Line[] {
  const lines: Line[] = []
  let start = 0
  while (start < text.length) {
    const at = text.indexOf('\n', start)
    const end = at < 0 ? text.length : at
    lines.push({ start, end, text: text.slice(start, end) })
    start = end + 1
  }
  return lines
}

/** `partial`: the text starts somewhere inside the document, perhaps inside a code block. */
export function parseText(text: string, markdown: boolean, partial = false): TextBlock[] {
  const lines = linesOf(text)
  const blocks: TextBlock[] = []
  let run: Line[] = []
  let kind: TextBlock['kind'] = 'paragraph'
  let level = 0
  let fence: string | null = markdown && partial && startsInFence(lines) ? '`' : null
  if (fence) kind = 'code'

  const close = () => {
    const first = run[0]
    const last = run.at(-1)
    if (first && last) blocks.push({ kind, level, pieces: pieces(text, first.start, last.end, kind, markdown) })
    run = []
    kind = 'paragraph'
    level = 0
  }
  const open = (next: TextBlock['kind'], line: Line, depth = 0) => {
    close()
    kind = next
    level = depth
    run = [line]
  }

  for (const line of lines) {
    const mark = markdown ? FENCE.exec(line.text) : null
    if (fence !== null) {
      if (mark?.[1]?.startsWith(fence.slice(0, 1)) && mark[1].length >= fence.length && !mark[2]) {
        close()
        fence = null
      } else run.push(line)
    } else if (mark?.[1]) {
      close()
      fence = mark[1]
      kind = 'code'
    } else if (line.text.trim() === '') close()
    else if (!markdown) run.push(line)
    else readMarkdownLine(line)
  }
  close()
  return blocks

  function readMarkdownLine(line: Line): void {
    const heading = HEADING.exec(line.text)
    const item = ITEM.exec(line.text)
    const only = run.length === 1 ? run[0] : undefined
    if (heading?.[1]) {
      open('heading', { ...line, start: line.start + heading[0].length }, heading[1].length)
      close()
    } else if (UNDERLINE.test(line.text) && only && kind === 'paragraph') {
      kind = 'heading'
      level = line.text.startsWith('=') ? 1 : 2
      close()
    } else if (item) {
      open('item', { ...line, start: line.start + item[0].length }, Math.floor((item[1]?.length ?? 0) / 2))
    } else if (line.text.startsWith('|')) {
      if (kind === 'table') run.push(line)
      else open('table', line)
    } else {
      if (kind === 'table') close()
      run.push(line)
    }
  }
}

/** An odd number of fences, the first one bare: the window begins inside a code block. */
function startsInFence(lines: readonly Line[]): boolean {
  const fences = lines.map((line) => FENCE.exec(line.text)).filter((match) => match !== null)
  return fences.length % 2 === 1 && fences[0]?.[2] === ''
}

function pieces(text: string, start: number, end: number, kind: TextBlock['kind'], markdown: boolean): Piece[] {
  if (!markdown || kind === 'code' || kind === 'table') return [{ start, end, style: 'plain' }]
  const found: Piece[] = []
  let from = start
  for (const match of text.slice(start, end).matchAll(INLINE)) {
    const at = start + match.index
    const [whole, code, strong, label] = match
    const inner = code ?? strong ?? label ?? ''
    const innerStart = at + whole.indexOf(inner)
    if (at > from) found.push({ start: from, end: at, style: 'plain' })
    const style = code !== undefined ? 'code' : strong !== undefined ? 'strong' : 'plain'
    found.push({ start: innerStart, end: innerStart + inner.length, style })
    from = at + whole.length
  }
  if (from < end) found.push({ start: from, end, style: 'plain' })
  return found
}

export interface Segment extends Piece {
  /** index of the mark that covers this segment, or -1 */
  mark: number
}

/** Cuts pieces at the edges of the marks; marks are in text order and may touch. */
export function markPieces(parts: readonly Piece[], marks: readonly { start: number; end: number }[]): Segment[] {
  return parts.flatMap((piece) => {
    const segments: Segment[] = []
    let from = piece.start
    marks.forEach((mark, index) => {
      const a = Math.max(mark.start, from)
      const b = Math.min(mark.end, piece.end)
      if (b <= a) return
      if (a > from) segments.push({ ...piece, start: from, end: a, mark: -1 })
      segments.push({ ...piece, start: a, end: b, mark: index })
      from = b
    })
    if (from < piece.end) segments.push({ ...piece, start: from, end: piece.end, mark: -1 })
    return segments
  })
}
