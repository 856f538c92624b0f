import { use } from 'react'
import { useT } from '@/lib/i18n'
import type { Message } from '@/lib/api/types'
import { plainTitle } from '@/lib/data/names'
import { Actions } from './context'
import styles from './Answer.module.css'

/** The passages that were found, to be opened before the answer is done. */
export function SourceStrip({ message }: { message: Message }) {
  const t = useT()
  const { openSource } = use(Actions)
  return (
    <ul className={styles.strip} aria-label={t('source.tabs')}>
      {message.sources.slice(0, 6).map((source) => (
        <li key={source.n}>
          <button
            type="button"
            aria-label={t('chat.sourceNamed', { n: source.n, title: source.title })}
            onClick={() => openSource(message, source.n)}
          >
            <b>{source.n}</b>
            {plainTitle(source.title)}
          </button>
        </li>
      ))}
    </ul>
  )
}
