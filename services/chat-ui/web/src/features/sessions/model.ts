import type { Session } from '@/lib/api/types'
import type { MessageKey } from '@/lib/i18n'

export interface Group {
  key: string
  /** a message key, or null for a month that is named by its date */
  label: MessageKey | null
  date: string
  sessions: Session[]
}

const DAY = 86_400_000

/** Today, Yesterday, the last 7 and 30 days, then by month; newest first. */
export function groupSessions(sessions: readonly Session[], now: Date = new Date()): Group[] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime()
  const groups: Group[] = []
  const sorted = [...sessions].sort((a, b) => b.updated_at.localeCompare(a.updated_at))
  for (const session of sorted) {
    const date = new Date(session.updated_at)
    const label = labelOf(date.getTime(), midnight)
    const key = label ?? `${date.getFullYear()}-${date.getMonth()}`
    const last = groups.at(-1)
    if (last?.key === key) last.sessions.push(session)
    else groups.push({ key, label, date: session.updated_at, sessions: [session] })
  }
  return groups
}

function labelOf(time: number, midnight: number): MessageKey | null {
  if (time >= midnight) return 'rail.today'
  if (time >= midnight - DAY) return 'rail.yesterday'
  if (time >= midnight - 7 * DAY) return 'rail.week'
  if (time >= midnight - 30 * DAY) return 'rail.month'
  return null
}
