import { describe, expect, it } from 'vitest'
import { evidenceOf, hasChanged } from '@/features/sources/evidence'
import { markPieces, parseText } from '@/features/sources/textBlocks'
import type { Message } from '@/lib/api/types'
import { codePointLength } from '@/lib/text/offsets'
import { citations, HANDBOOK, message, sources } from '../mock/data.ts'

const shown = (text: string, markdown = true) =>
  parseText(text, markdown).map(({ kind, pieces }) => [kind, pieces.map((piece) => text.slice(piece.start, piece.end)).join('')])

describe('the text around a passage', () => {
  it('gets light shapes', () => {
    expect(shown('# T\n\nA **b** `c` [d](u)\nmore\n\n- x\n- y\n\n```sh\nrun\n\nit\n```\nend')).toEqual([
      ['heading', 'T'],
      ['paragraph', 'A b c d\nmore'],
      ['item', 'x'],
      ['item', 'y'],
      ['code', 'run\n\nit'],
      ['paragraph', 'end'],
    ])
    expect(shown('Title\n=====\n\ntext')).toEqual([
      ['heading', 'Title'],
      ['paragraph', 'text'],
    ])
  })

  it('of a plain file is left as it is', () => {
    expect(shown('# comment\nkey: `v`\n\n- x', false)).toEqual([
      ['paragraph', '# comment\nkey: `v`'],
      ['paragraph', '- x'],
    ])
  })

  it('knows that a window may begin inside a code block', () => {
    const blocks = parseText('rest of code\n```\n\ntext\n', true, true)
    expect(blocks.map((block) => block.kind)).toEqual(['code', 'paragraph'])
  })

  it('marks exactly the characters of a quote, across blocks and styles', () => {
    for (let start = 0; start < 600; start += 7) {
      const mark = { start, end: start + 220 }
      const parts = parseText(HANDBOOK, true).flatMap((block) => block.pieces)
      const segments = markPieces(parts, [mark])
      expect(segments.map(({ start: a, end: b }) => HANDBOOK.slice(a, b)).join('')).toBe(
        parts.map(({ start: a, end: b }) => HANDBOOK.slice(a, b)).join(''),
      )
      for (const segment of segments) {
        const inside = segment.start >= mark.start && segment.end <= mark.end
        const outside = segment.end <= mark.start || segment.start >= mark.end
        expect(segment.mark >= 0 ? inside : outside).toBe(true)
      }
    }
  })
})

describe('evidence of an answer', () => {
  const answer = (part: Partial<Message>) => message({ id: 'a', session_id: 's', role: 'assistant', content: '', sources, ...part })

  it('says when other words stand at its place by now', () => {
    const [entry] = evidenceOf(answer({ citations }), 1)
    if (!entry) throw new Error('no evidence')
    const window = (text: string, start = 0, end = start + codePointLength(text), total = end) => ({
      documentId: entry.documentId,
      text,
      start,
      end,
      total,
    })
    expect(hasChanged(entry, window(HANDBOOK))).toBe(false)
    expect(hasChanged(entry, window(`😀${HANDBOOK}`))).toBe(true)
    expect(hasChanged(entry, window('Short by now.'))).toBe(true)
    // Not all of it is there yet, or it is still the document that was open before.
    expect(hasChanged(entry, window('', 0, 0, 9999))).toBe(false)
    expect(hasChanged({ ...entry, documentId: 'other' }, window('Short by now.'))).toBe(false)
  })

  it('is everything that was read while nothing is quoted yet', () => {
    expect(evidenceOf(answer({}), 1).map((entry) => entry.n)).toEqual([1, 2, 3])
  })

  it('is what is quoted, and what was asked for by name', () => {
    const quoted = citations.slice(0, 1)
    expect(evidenceOf(answer({ citations: quoted }), 1).map((entry) => entry.n)).toEqual([1])
    expect(evidenceOf(answer({ citations: quoted }), 3).map((entry) => entry.n)).toEqual([1, 3])
  })

  it('joins several quotes of one number', () => {
    const first = citations[0]
    if (!first) throw new Error('the mock has citations')
    const [entry] = evidenceOf(answer({ citations: [first, { ...first, start: 1, end: 5, quote: 'x' }] }), 1)
    expect(entry?.marks).toHaveLength(2)
    expect(entry?.quotes).toEqual([first.quote, 'x'])
  })
})
