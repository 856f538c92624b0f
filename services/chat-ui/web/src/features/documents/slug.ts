/** What was typed as a collection's name: `Ops Handbook` → `ops-handbook`. */
export function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/đ/gi, 'd')
    .toLowerCase()
    .replace(/[\s_.]+/g, '-')
    .slice(0, 63)
}
