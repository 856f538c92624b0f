import type { MessageKey } from '@/lib/i18n'

export const SHORTCUTS: readonly { keys: readonly string[]; does: MessageKey }[] = [
  { keys: ['Ctrl', 'K'], does: 'keys.palette' },
  { keys: ['Ctrl', 'Shift', 'O'], does: 'keys.new' },
  { keys: ['/'], does: 'keys.focus' },
  { keys: ['Enter'], does: 'keys.send' },
  { keys: ['Shift', 'Enter'], does: 'keys.line' },
  { keys: ['Esc'], does: 'keys.stop' },
  { keys: ['↑'], does: 'keys.edit' },
  { keys: ['[', ']'], does: 'keys.walk' },
  { keys: ['?'], does: 'keys.help' },
]
