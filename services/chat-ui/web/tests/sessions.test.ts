import { describe, expect, it } from 'vitest'
import { slug } from '@/features/documents/slug'
import { groupSessions } from '@/features/sessions/model'
import type { Session } from '@/lib/api/types'
import { parseRoute } from '@/lib/router'

const session = (id: string, updated: Date): Session => ({
  id,
  title: id,
  collection: null,
  created_at: updated.toISOString(),
  updated_at: updated.toISOString(),
  active_run_id: null,
})

describe('the list of chats', () => {
  it('is grouped by the calendar of the person', () => {
    const now = new Date(2026, 10, 22, 9)
    const groups = groupSessions(
      [
        session('today', new Date(2026, 10, 22, 0, 5)),
        session('yesterday', new Date(2026, 10, 21, 23, 55)),
        session('week', new Date(2026, 10, 17)),
        session('month', new Date(2026, 9, 25)),
        session('old', new Date(2026, 7, 2)),
        session('old2', new Date(2026, 7, 1)),
      ],
      now,
    )
    expect(groups.map((group) => [group.label, group.sessions.map((each) => each.id)])).toEqual([
      ['rail.today', ['today']],
      ['rail.yesterday', ['yesterday']],
      ['rail.week', ['week']],
      ['rail.month', ['month']],
      [null, ['old', 'old2']],
    ])
  })
})

describe('addresses', () => {
  it('name a chat, a collection or nothing that exists', () => {
    expect(parseRoute('/')).toEqual({ name: 'new' })
    expect(parseRoute('/s/abc')).toEqual({ name: 'session', id: 'abc' })
    expect(parseRoute('/documents/a%20b/')).toEqual({ name: 'documents', collection: 'a b' })
    expect(parseRoute('/s')).toEqual({ name: 'lost' })
    expect(parseRoute('/s/%E0%A4%A')).toEqual({ name: 'session', id: '%E0%A4%A' })
  })
})

describe('slug', () => {
  it('makes names that the API accepts out of what people type', () => {
    expect(slug('Ops Handbook')).toBe('ops-handbook')
    expect(slug('Đơn vị Vận_hành')).toBe('don-vi-van-hanh')
  })
})
