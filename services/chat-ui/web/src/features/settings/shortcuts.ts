import type { MessageKey } from '@/lib/i18n'
import { KEYS } from '@/lib/keys'

export const SHORTCUTS: readonly { keys: readonly string[]; does: MessageKey }[] = [
  { keys: KEYS.palette, does: 'keys.palette' },
  { keys: KEYS.newChat, does: 'keys.new' },
  { keys: ['/'], does: 'keys.focus' },
  { keys: ['Enter'], does: 'keys.send' },
  { keys: ['Shift', 'Enter'], does: 'keys.line' },
  { keys: ['Esc'], does: 'keys.stop' },
  { keys: ['↑'], does: 'keys.edit' },
  { keys: ['[', ']'], does: 'keys.walk' },
  { keys: ['?'], does: 'keys.help' },
]
