import { useEffect, useId, useMemo, useRef, useState } from 'react'
import { Modal } from '@/components/Dialog'
import { Icon, type IconName } from '@/components/Icon'
import { api } from '@/lib/api/endpoints'
import type { SearchHit } from '@/lib/api/types'
import { isComposing } from '@/lib/hooks'
import { useT } from '@/lib/i18n'
import { navigate, paths } from '@/lib/router'
import { useStore } from '@/lib/store'
import { sessions } from './store'
import styles from './Palette.module.css'

export interface PaletteAction {
  id: string
  label: string
  keys?: string
  icon: IconName
  run: () => void
}

interface Entry {
  id: string
  group: string
  label: string
  note?: string | undefined
  keys?: string | undefined
  icon?: IconName
  run: () => void
}

const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

export function Palette({ actions, onClose }: { actions: readonly PaletteAction[]; onClose: () => void }) {
  const t = useT()
  const id = useId()
  const [q, setQ] = useState('')
  const [active, setActive] = useState(0)
  const hits = useHistorySearch(q)
  const { items } = useStore(sessions)
  const list = useRef<HTMLDivElement>(null)

  const entries = useMemo<Entry[]>(() => {
    const wanted = fold(q.trim())
    const matches = (text: string) => fold(text).includes(wanted)
    const shownActions = actions.filter((action) => matches(action.label))
    const chats = items.filter((session) => matches(session.title)).slice(0, wanted ? 8 : 5)
    const known = new Set(chats.map((session) => session.id))
    const chatEntries = chats.map((session) => ({
      id: session.id,
      group: t('palette.chats'),
      label: session.title || t('rail.untitled'),
      run: () => navigate(paths.session(session.id)),
    }))
    const actionEntries = shownActions.map((action) => ({ ...action, group: t('palette.actions') }))
    const found = hits
      .filter((hit, index) => !known.has(hit.session_id) && hits.findIndex((other) => other.session_id === hit.session_id) === index)
      .map((hit) => ({
        id: hit.message_id,
        group: t('palette.found'),
        label: hit.title || t('rail.untitled'),
        note: hit.snippet,
        run: () => navigate(paths.session(hit.session_id)),
      }))
    return wanted ? [...chatEntries, ...found, ...actionEntries] : [...actionEntries, ...chatEntries]
  }, [actions, hits, items, q, t])

  const at = Math.min(active, entries.length - 1)
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [at])

  const choose = (entry: Entry | undefined) => {
    if (!entry) return
    onClose()
    entry.run()
  }
  return (
    <Modal onClose={onClose} label={t('palette.title')} className={styles.palette}>
      <div className={styles.search}>
        <Icon name="search" />
        <input
          role="combobox"
          aria-label={t('palette.title')}
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          placeholder={t('palette.placeholder')}
          value={q}
          onChange={(event) => {
            setQ(event.target.value)
            setActive(0)
          }}
          onKeyDown={(event) => {
            if (isComposing(event)) return
            const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
            if (step !== 0 && entries.length > 0) {
              event.preventDefault()
              setActive((at + step + entries.length) % entries.length)
            } else if (event.key === 'Enter') {
              event.preventDefault()
              choose(entries[at])
            }
          }}
        />
        <kbd aria-hidden="true">Esc</kbd>
      </div>
      <div ref={list} id={id} role="listbox" aria-label={t('palette.title')} className={styles.list}>
        {entries.map((entry, index) => (
          <PaletteRow key={`${entry.group}-${entry.id}`} id={`${id}-${index}`} entry={entry} first={entries[index - 1]?.group !== entry.group} selected={index === at} onChoose={() => choose(entry)} onHover={() => setActive(index)} />
        ))}
        {entries.length === 0 && <p className={styles.none}>{t('palette.none', { q })}</p>}
      </div>
    </Modal>
  )
}

interface RowProps {
  id: string
  entry: Entry
  first: boolean
  selected: boolean
  onChoose: () => void
  onHover: () => void
}

function PaletteRow({ id, entry, first, selected, onChoose, onHover }: RowProps) {
  return (
    <>
      {first && (
        <div className={styles.group} role="presentation">
          {entry.group}
        </div>
      )}
      {/* The keyboard stays in the text field and moves the selection from there. */}
      {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus */}
      <div id={id} role="option" aria-selected={selected} className={styles.row} onClick={onChoose} onMouseMove={onHover}>
        {entry.icon && <Icon name={entry.icon} size={16} />}
        <span className={styles.label} dir="auto">
          {entry.label}
          {entry.note && <small>{entry.note}</small>}
        </span>
        {entry.keys && <kbd aria-hidden="true">{entry.keys}</kbd>}
      </div>
    </>
  )
}

/** Searches the messages themselves, a moment after the last key. */
function useHistorySearch(q: string): readonly SearchHit[] {
  const [hits, setHits] = useState<{ q: string; items: readonly SearchHit[] }>({ q: '', items: [] })
  const wanted = q.trim()
  useEffect(() => {
    if (wanted.length < 2) return
    const controller = new AbortController()
    const timer = setTimeout(() => {
      api.searchHistory(wanted, controller.signal).then(
        (page) => setHits({ q: wanted, items: page.items }),
        () => undefined,
      )
    }, 180)
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [wanted])
  return wanted.length >= 2 ? hits.items : []
}
