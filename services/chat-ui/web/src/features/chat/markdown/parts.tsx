import { use, useRef, type ComponentProps, type ReactNode } from 'react'
import { copyText } from '@/lib/clipboard'
import { useFlash } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { Cites } from './context'
import styles from './Markdown.module.css'

export function CiteButton({ n }: { n?: string }) {
  const t = useT()
  const { titleOf, openN, open } = use(Cites)
  const number = Number(n)
  const title = titleOf(number)
  return (
    <button
      type="button"
      className={styles.cite}
      data-cite={number}
      aria-expanded={openN === number}
      aria-label={title ? t('chat.sourceNamed', { n: number, title }) : t('chat.source', { n: number })}
      onClick={() => open(number)}
    >
      {number}
    </button>
  )
}

export function CiteGroup({ children }: { children?: ReactNode }) {
  return <span className={styles.glue}>{children}</span>
}

/** A sentence that no passage supports: dotted line, a word on hover, the same words for a screen reader. */
export function WeakText({ last, children }: { last?: string; children?: ReactNode }) {
  const t = useT()
  return (
    <span className={styles.weak} data-tip={t('chat.unsupported')} data-testid="unsupported">
      {children}
      {last && <span className="sr-only"> ({t('chat.unsupported')})</span>}
    </span>
  )
}

export function CodeBlock({ children }: ComponentProps<'pre'>) {
  const t = useT()
  const ref = useRef<HTMLPreElement>(null)
  const [copied, flash] = useFlash()
  const copy = async () => {
    if (await copyText((ref.current?.textContent ?? '').replace(/\n$/, ''))) flash()
  }
  return (
    <div className={styles.code}>
      {/* A box that scrolls must be reachable with the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre ref={ref} tabIndex={0}>
        {children}
      </pre>
      <button type="button" aria-label={t('chat.copyCode')} onClick={() => void copy()}>
        {copied ? t('app.copied') : t('chat.copy')}
      </button>
    </div>
  )
}

/** Models begin with any level. The page has the first two, so all of theirs are the third; the looks keep the depth. */
export const heading = (depth: number) =>
  function Heading({ children }: { children?: ReactNode }) {
    return <h3 data-depth={depth}>{children}</h3>
  }

export function TableBox({ children }: ComponentProps<'table'>) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.table} tabIndex={0}>
      <table>{children}</table>
    </div>
  )
}

/** GFM aligns columns with an inline style; here it is an attribute that the style sheet reads. */
export const Cell = ({ style, children }: ComponentProps<'td'>) => <td data-align={style?.textAlign}>{children}</td>
export const HeadCell = ({ style, children }: ComponentProps<'th'>) => <th data-align={style?.textAlign}>{children}</th>

export function OuterLink({ href, children }: ComponentProps<'a'>) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  )
}
