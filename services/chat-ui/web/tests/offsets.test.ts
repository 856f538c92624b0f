import { describe, expect, it } from 'vitest'
import { codePointLength, toUtf16, toUtf16Ranges } from '@/lib/text/offsets'

const byCodePoints = (text: string, start: number, end: number) => [...text].slice(start, end).join('')

describe('code point offsets', () => {
  const text = 'a😀b 您好 👩‍👩‍👧 é e\u0301 \u{20000}z'

  it('mark the same words as slicing by code points', () => {
    const length = codePointLength(text)
    expect(length).toBe([...text].length)
    for (let start = 0; start < length; start++) {
      for (let end = start + 1; end <= length; end++) {
        const range = toUtf16Ranges(text, [{ start, end }])[0]
        expect(text.slice(range?.start, range?.end)).toBe(byCodePoints(text, start, end))
      }
    }
  })

  it('are converted in one pass, in any order', () => {
    expect(toUtf16('😀😀x', [2, 0, 1, 3])).toEqual([4, 0, 2, 5])
  })

  it('stay inside the text', () => {
    expect(toUtf16('ab', [-5, 9])).toEqual([0, 2])
    expect(toUtf16Ranges('ab', [{ start: 5, end: 9 }])).toEqual([])
  })

  it('count a lone surrogate as one, as Python does with surrogatepass', () => {
    expect(codePointLength('\ud83dx')).toBe(2)
  })
})
