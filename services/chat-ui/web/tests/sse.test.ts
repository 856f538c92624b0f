import { describe, expect, it } from 'vitest'
import { EventStreamParser } from '@/lib/sse/parser'

const parse = (...chunks: string[]) => {
  const parser = new EventStreamParser()
  return chunks.flatMap((chunk) => parser.push(chunk))
}

describe('EventStreamParser', () => {
  it('reads id, event and data', () => {
    expect(parse('id: 4\nevent: token\ndata: {"text":"a"}\n\n')).toEqual([
      { id: '4', event: 'token', data: '{"text":"a"}' },
    ])
  })

  it('joins several data lines and keeps one leading space only as separator', () => {
    expect(parse('data: one\ndata:two\ndata:  three\n\n')[0]?.data).toBe('one\ntwo\n three')
  })

  it('gives the same events wherever the chunks are cut', () => {
    const text = ': keep-alive\r\nid: 1\r\nevent: sources\r\ndata: 您好 😀\r\n\r\nid: 2\rdata: x\r\rdata: y\n\n'
    const whole = parse(text)
    expect(whole.map((event) => event.data)).toEqual(['您好 😀', 'x', 'y'])
    for (let cut = 1; cut < text.length; cut++) {
      expect(parse(text.slice(0, cut), text.slice(cut))).toEqual(whole)
    }
    expect(parse(...text)).toEqual(whole)
  })

  it('drops comments, unknown fields and events without data', () => {
    expect(parse(': ping\n\nevent: done\n\nretry: 10\nfoo\n\ndata\n\n')).toEqual([{ id: null, event: 'message', data: '' }])
  })

  it('carries the last id on, and never holds back a finished event', () => {
    const parser = new EventStreamParser()
    expect(parser.push('id: 9\ndata: a\n\n')[0]?.id).toBe('9')
    expect(parser.push('data: b\n\n')[0]?.id).toBe('9')
    expect(parser.push('data: unfinished\n')).toEqual([])
  })

  it('skips a byte order mark at the beginning', () => {
    expect(parse('\uFEFFdata: a\n\n')[0]?.data).toBe('a')
  })
})
