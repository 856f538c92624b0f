import { useEffect, useLayoutEffect, useMemo, useRef } from 'react'
import { useT } from '@/lib/i18n'
import { toUtf16Ranges } from '@/lib/text/offsets'
import type { Evidence } from './evidence'
import { markPieces, parseText, type Segment, type TextBlock } from './textBlocks'
import type { TextWindow } from './useDocumentText'
import styles from './PassageView.module.css'

interface PassageViewProps {
  evidence: Evidence
  window: TextWindow
  markdown: boolean
  onMore: (where: 'before' | 'after') => void
}

export function PassageView({ evidence, window, markdown, onMore }: PassageViewProps) {
  const t = useT()
  const scroller = useRef<HTMLDivElement>(null)
  const { text, start } = window
  const blocks = useMemo(() => parseText(text, markdown, start > 0), [text, markdown, start])
  const marks = useMemo(
    () => toUtf16Ranges(text, evidence.marks.map((mark) => ({ start: mark.start - start, end: mark.end - start }))),
    [text, start, evidence.marks],
  )
  const segments = useMemo(() => blocks.map((block) => markPieces(block.pieces, marks)), [blocks, marks])
  const marked = segments.flat().filter((segment) => segment.mark >= 0)

  // Opens at the passage: only this box scrolls, never the page around it.
  useLayoutEffect(() => {
    const box = scroller.current
    const mark = box?.querySelector('mark')
    if (!box || !mark) return
    const top = mark.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop
    box.scrollTop = Math.max(0, top - box.clientHeight * 0.28)
  }, [evidence.n, evidence.documentId, evidence.marks])

  // Text that is put above what is read must not move it.
  const before = useRef({ start, height: 0 })
  useLayoutEffect(() => {
    const box = scroller.current
    if (box && start < before.current.start) box.scrollTop += box.scrollHeight - before.current.height
    before.current = { start, height: box?.scrollHeight ?? 0 }
  }, [start, segments])

  useEffect(() => {
    const box = scroller.current
    if (!box) return
    const onScroll = () => {
      if (box.scrollTop < 200) onMore('before')
      if (box.scrollHeight - box.scrollTop - box.clientHeight < 300) onMore('after')
    }
    box.addEventListener('scroll', onScroll, { passive: true })
    return () => box.removeEventListener('scroll', onScroll)
  }, [onMore])

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={scroller} className={styles.page} tabIndex={0} role="region" aria-label={t('source.text')} dir="auto" data-plain={!markdown}>
      {blocks.map((block, index) => (
        <Block key={block.pieces[0]?.start ?? index} block={block}>
          {(segments[index] ?? []).map((segment) => (
            <Part key={segment.start} segment={segment} text={text} first={segment === marked[0]} last={segment === marked.at(-1)} />
          ))}
        </Block>
      ))}
    </div>
  )
}

function Block({ block, children }: { block: TextBlock; children: React.ReactNode }) {
  if (block.kind === 'heading') return <h3 data-level={block.level}>{children}</h3>
  if (block.kind === 'code' || block.kind === 'table') return <pre>{children}</pre>
  if (block.kind === 'item') {
    return (
      <p className={styles.item} data-level={Math.min(block.level, 3)}>
        {children}
      </p>
    )
  }
  return <p>{children}</p>
}

function Part({ segment, text, first, last }: { segment: Segment; text: string; first: boolean; last: boolean }) {
  const t = useT()
  const words = text.slice(segment.start, segment.end)
  const styled = segment.style === 'code' ? <code>{words}</code> : segment.style === 'strong' ? <strong>{words}</strong> : words
  if (segment.mark < 0) return styled
  return (
    <mark
      data-testid="quote-mark"
      data-start={first ? t('source.marked') : undefined}
      data-end={last ? t('source.markedEnd') : undefined}
    >
      {styled}
    </mark>
  )
}
