export interface Block {
  text: string
  /** UTF-16 index of the block in the whole answer */
  start: number
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/
const CONTINUES = /^(\s{2,}|\t|[-*+]\s|\d{1,9}[.)]\s|>|\|)/
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s/m

/**
 * Cuts Markdown at blank lines into blocks that can be rendered on their own, so that a finished
 * block is never parsed again while the answer grows. Lists, quotes and fences stay whole; text
 * with link definitions stays one block, because they reach everywhere.
 */
export function splitBlocks(text: string): Block[] {
  if (DEFINITION.test(text)) return text ? [{ text, start: 0 }] : []
  const blocks: Block[] = []
  let start = 0
  let fence: string | null = null
  let blank = false
  let at = 0
  const close = (end: number) => {
    const piece = text.slice(start, end)
    if (piece.trim()) blocks.push({ text: piece, start })
    start = end
  }
  while (at < text.length) {
    const newline = text.indexOf('\n', at)
    const next = newline < 0 ? text.length : newline + 1
    const line = text.slice(at, newline < 0 ? text.length : newline)
    if (fence !== null) {
      const closing = FENCE.exec(line)?.[1]
      if (closing?.startsWith(fence) && line.trim() === closing) fence = null
    } else {
      if (blank && line.trim() && !CONTINUES.test(line)) close(at)
      const opening = FENCE.exec(line)?.[1]
      if (opening) fence = opening
    }
    blank = fence === null && line.trim() === ''
    at = next
  }
  close(text.length)
  return blocks
}
