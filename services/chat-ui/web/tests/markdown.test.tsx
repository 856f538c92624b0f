import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { splitBlocks } from '@/features/chat/markdown/blocks'
import { Markdown } from '@/features/chat/markdown/Markdown'

const render = (content: string, known: number[] = [1, 2], unsupported: { start: number; end: number }[] = []) =>
  renderToStaticMarkup(<Markdown content={content} known={known} unsupported={unsupported} writing={false} />)

const cites = (html: string) => [...html.matchAll(/data-cite="(\d+)"/g)].map((match) => Number(match[1]))
const plain = (html: string) => html.replace(/<[^>]+>/g, '')

describe('citations', () => {
  it('become buttons with a name', () => {
    const html = render('True. [1] Also true.[2]')
    expect(cites(html)).toEqual([1, 2])
    expect(html).toContain('aria-label="Source 1"')
    expect(html).toContain('type="button"')
  })

  it('may stand in one bracket, in lists and in tables', () => {
    expect(cites(render('Both [1, 2] here\n\n- item [1]\n\n| a |\n|---|\n| b [2] |'))).toEqual([1, 2, 1, 2])
  })

  it('are not the brackets of a quoted document', () => {
    const html = render('> such as \\[2\\], is a citation. [1]')
    expect(cites(html)).toEqual([1])
    expect(plain(html)).toContain('such as [2], is')
  })

  it('stay text when no source has the number, in code and in links', () => {
    expect(cites(render('Unknown [7]. `[1]` and [1](https://example.com)\n\n```\n[1]\n```'))).toEqual([])
    expect(plain(render('Unknown [7].'))).toContain('[7]')
  })
})

describe('sentences without support', () => {
  it('are marked to the character, counted in code points', () => {
    const content = '😀 Sure thing. [1] Perhaps *not* this one.'
    const start = [...content.slice(0, content.indexOf('Perhaps'))].length
    const html = render(content, [1], [{ start, end: [...content].length }])
    const marked = [...html.matchAll(/data-testid="unsupported">(.*?)<\/span>/g)].map((match) => plain(match[1] ?? ''))
    expect(marked.join('')).toContain('Perhaps not')
    expect(plain(html.slice(0, html.indexOf('data-testid')))).toContain('Sure thing.')
    expect(marked.join('')).not.toContain('Sure')
    expect(html.match(/\(No passage supports this sentence\)/g)).toHaveLength(1)
  })
})

describe('what a model writes', () => {
  it('never becomes HTML, a script link or a picture from elsewhere', () => {
    const html = render('<script>x</script><b onclick="y">b</b> [a](javascript:alert(1)) ![p](https://example.com/p.png)')
    expect(html).not.toMatch(/<script|onclick|javascript:|<img/)
  })

  it('has no inline style', () => {
    expect(render('| a | b |\n|:-:|--:|\n| 1 | 2 |')).not.toContain('style=')
  })
})

describe('splitBlocks', () => {
  const texts = [
    'one\n\ntwo\n\nthree',
    '- a\n\n- b\n\n  more of b\n\nafter',
    '1. a\n\n2. b',
    '```\ncode\n\nwith blank\n```\n\nafter',
    '> q\n\n> r\n\nend',
    '| a |\n|---|\n| b |\n\ntext',
    '~~~~\n```\n\n~~~\n~~~~\n\nx',
  ]

  it('loses nothing', () => {
    for (const text of texts) {
      const blocks = splitBlocks(text)
      expect(blocks.map((block) => block.text).join('')).toBe(text)
      for (const block of blocks) expect(text.startsWith(block.text, block.start)).toBe(true)
    }
  })

  it('keeps lists, fences and quotes whole', () => {
    expect(texts.map((text) => splitBlocks(text).length)).toEqual([3, 2, 1, 2, 2, 2, 2])
  })

  it('leaves finished blocks as they are while the answer grows', () => {
    const text = texts.join('\n\n')
    let finished: string[] = []
    for (let end = 1; end <= text.length; end++) {
      const blocks = splitBlocks(text.slice(0, end)).map((block) => block.text.trimEnd())
      const settled = blocks.slice(0, -1)
      expect(settled.slice(0, Math.max(0, finished.length - 1))).toEqual(finished.slice(0, Math.max(0, finished.length - 1)))
      finished = settled
    }
  })
})
