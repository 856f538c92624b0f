import { Dialog } from '@/components/Dialog'
import type { Message } from '@/lib/api/types'
import { collectionLabel, plainTitle } from '@/lib/data/names'
import { useFormat, useT, type MessageKey } from '@/lib/i18n'
import { toUtf16Ranges } from '@/lib/text/offsets'
import styles from './WhyDialog.module.css'

const MODES: Record<string, MessageKey> = {
  hybrid: 'why.mode.hybrid',
  dense: 'why.mode.dense',
  lexical: 'why.mode.lexical',
}

interface WhyDialogProps {
  message: Message
  onClose: () => void
  onOpen: (n: number) => void
}

export function WhyDialog({ message, onClose, onOpen }: WhyDialogProps) {
  const t = useT()
  const format = useFormat()
  const { grounding, sources } = message
  const search = grounding?.search
  const cited = new Set(message.citations.map((citation) => citation.n))
  const mode = search ? MODES[search.mode] : undefined
  const total = search?.timings_ms?.total
  const weak = grounding ? toUtf16Ranges(message.content, grounding.unsupported) : []
  const facts: [string, string | undefined][] = [
    [t('why.query'), search?.query],
    [t('why.where'), search?.collections.map((name) => collectionLabel(name, t)).join(', ')],
    [t('why.mode'), mode ? t(mode) : search?.mode],
    [t('why.time'), total === undefined ? undefined : t('why.ms', { n: Math.round(total) })],
    [t('why.model'), grounding?.model ?? message.model ?? t('why.noModel')],
    [
      t('why.support'),
      grounding && grounding.sentences > 0
        ? t('chat.supported', { supported: grounding.supported, n: grounding.sentences })
        : undefined,
    ],
  ]
  return (
    <Dialog wide title={t('why.title')} onClose={onClose}>
      <dl className={styles.facts}>
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {weak.length > 0 && (
        <div className={styles.weak}>
          <h3>{t('why.unsupported')}</h3>
          <ul>
            {weak.map(({ start, end }) => (
              <li key={start}>{message.content.slice(start, end).trim()}</li>
            ))}
          </ul>
        </div>
      )}
      {sources.length > 0 && (
        <table className={styles.table}>
          <caption>{t('why.passages')}</caption>
          <thead>
            <tr>
              <th scope="col">#</th>
              <th scope="col">{t('why.title_col')}</th>
              <th scope="col">{t('why.cited')}</th>
              <th scope="col">{t('why.score')}</th>
            </tr>
          </thead>
          <tbody>
            {sources.map((source) => (
              <tr key={source.n}>
                <td>{source.n}</td>
                <td>
                  <button type="button" onClick={() => onOpen(source.n)}>
                    {plainTitle(source.title)}
                  </button>
                  {source.heading && <small>{source.heading}</small>}
                </td>
                <td>{t(cited.has(source.n) ? 'why.yes' : 'why.no')}</td>
                <td>
                  <span className={styles.score}>{source.score === null ? '–' : format.score(source.score)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Dialog>
  )
}
