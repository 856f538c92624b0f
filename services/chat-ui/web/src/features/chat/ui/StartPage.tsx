import type { ReactNode } from 'react'
import { Wheel } from '@/components/Icon'
import { useT } from '@/lib/i18n'
import { collectionLabel } from '@/lib/data/names'
import { useSuggestions } from './useSuggestions'
import styles from './StartPage.module.css'

interface StartPageProps {
  collection: string | null
  /** null while it is not known yet whether anything is indexed */
  empty: boolean | null
  onAsk: (text: string) => void
  /** the drop area of the first visit */
  firstVisit: ReactNode
}

export function StartPage({ collection, empty, onAsk, firstVisit }: StartPageProps) {
  const t = useT()
  const questions = useSuggestions(empty === false, collection)
  if (empty === null) return <div className={styles.page} />
  return (
    <div className={styles.page}>
      <div className={styles.middle}>
        <span className={styles.wheel}>
          <Wheel size={34} />
        </span>
        {empty ? (
          firstVisit
        ) : (
          <>
            <h1 className={styles.greeting}>
              {collection === null
                ? t('start.greetingAll')
                : t('start.greeting', { name: collectionLabel(collection, t) })}
            </h1>
            {questions.length > 0 && (
              <ul className={styles.questions} aria-label={t('start.suggestions')}>
                {questions.map((question) => (
                  <li key={question}>
                    <button type="button" onClick={() => onAsk(question)}>
                      {question}
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </div>
    </div>
  )
}
