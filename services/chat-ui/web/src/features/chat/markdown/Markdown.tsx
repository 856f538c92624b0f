import { memo, useMemo } from 'react'
import ReactMarkdown, { type Components, type Options } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import type { Span } from '@/lib/api/types'
import { toUtf16Ranges } from '@/lib/text/offsets'
import { splitBlocks } from './blocks'
import { Cell, CiteButton, CiteGroup, CodeBlock, HeadCell, heading, OuterLink, TableBox, WeakText } from './parts'
import { remarkCitations, remarkKeepEscapes, remarkShowEscapes, remarkUnsupported } from './plugins'
import styles from './Markdown.module.css'

const components = {
  'cite-button': CiteButton,
  'cite-group': CiteGroup,
  'weak-text': WeakText,
  h1: heading(1),
  h2: heading(2),
  h3: heading(3),
  h4: heading(4),
  h5: heading(4),
  h6: heading(4),
  pre: CodeBlock,
  table: TableBox,
  td: Cell,
  th: HeadCell,
  a: OuterLink,
  img: ({ alt }: { alt?: string }) => <>{alt}</>, // pictures would be fetched from elsewhere
} as Components

interface BlockProps {
  text: string
  /** UTF-16 ranges inside this block, as `a-b,c-d`: a string keeps the memo cheap */
  weak: string
  known: string
}

const MarkdownBlock = memo(function MarkdownBlock({ text, weak, known }: BlockProps) {
  const plugins = useMemo<NonNullable<Options['remarkPlugins']>>(() => {
    const ranges = weak.split(',').flatMap((pair) => {
      const [start, end] = pair.split('-').map(Number)
      return start !== undefined && end !== undefined ? [{ start, end }] : []
    })
    return [
      remarkGfm,
      remarkKeepEscapes,
      [remarkUnsupported, { ranges }],
      [remarkCitations, { known: new Set(known.split(',').filter(Boolean).map(Number)) }],
      remarkShowEscapes,
    ]
  }, [weak, known])
  return (
    <ReactMarkdown remarkPlugins={plugins} components={components} skipHtml>
      {text}
    </ReactMarkdown>
  )
})

interface MarkdownProps {
  content: string
  /** code point ranges of the whole content */
  unsupported: readonly Span[]
  /** numbers that name a source */
  known: readonly number[]
  writing: boolean
}

export function Markdown({ content, unsupported, known, writing }: MarkdownProps) {
  const blocks = useMemo(() => splitBlocks(content), [content])
  const weak = useMemo(() => toUtf16Ranges(content, unsupported), [content, unsupported])
  const names = known.join(',')
  return (
    <div className={styles.markdown} dir="auto" data-writing={writing}>
      {blocks.map(({ text, start }, index) => {
        const inside = weak
          .filter((range) => range.end > start && range.start < start + text.length)
          .map((range) => `${Math.max(0, range.start - start)}-${range.end - start}`)
        return <MarkdownBlock key={index} text={text} weak={inside.join(',')} known={names} />
      })}
    </div>
  )
}
