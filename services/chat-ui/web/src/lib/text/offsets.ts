/** The API counts Unicode code points, JavaScript strings count UTF-16 units: these convert. */

const isHigh = (code: number) => code >= 0xd800 && code <= 0xdbff
const isLow = (code: number) => code >= 0xdc00 && code <= 0xdfff

const step = (text: string, at: number) =>
  isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1)) ? 2 : 1

export function codePointLength(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i += step(text, i)) count++
  return count
}

/** UTF-16 indexes of several code point offsets in one pass. Offsets beyond the end become the end. */
export function toUtf16(text: string, offsets: readonly number[]): number[] {
  const order = offsets.map((_, index) => index).sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0))
  const result = new Array<number>(offsets.length).fill(text.length)
  let units = 0
  let points = 0
  for (const index of order) {
    const wanted = Math.max(0, offsets[index] ?? 0)
    while (points < wanted && units < text.length) {
      units += step(text, units)
      points++
    }
    result[index] = units
  }
  return result
}

/** Code point ranges → UTF-16 ranges, in text order, empty ones left out. */
export function toUtf16Ranges(
  text: string,
  ranges: readonly { start: number; end: number }[],
): { start: number; end: number }[] {
  const flat = toUtf16(
    text,
    ranges.flatMap((range) => [range.start, range.end]),
  )
  return ranges
    .map((_, i) => ({ start: flat[2 * i] ?? 0, end: flat[2 * i + 1] ?? 0 }))
    .filter((range) => range.end > range.start)
    .sort((a, b) => a.start - b.start)
}
