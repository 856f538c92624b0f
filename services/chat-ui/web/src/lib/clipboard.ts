import { announce, showToast } from '@/lib/data/live'
import { tNow } from '@/lib/i18n'

export async function copyText(text: string, said = tNow('app.copied')): Promise<boolean> {
  if ((await viaClipboard(text)) || viaSelection(text)) {
    announce(said)
    return true
  }
  showToast(tNow('app.copyFailed'), { tone: 'bad' })
  return false
}

async function viaClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** Plain http has no clipboard API; the old way still works there. */
function viaSelection(text: string): boolean {
  const before = document.activeElement
  const host = document.querySelector('dialog[open]') ?? document.body
  const box = document.createElement('textarea')
  box.className = 'sr-only'
  box.value = text
  host.append(box)
  box.select()
  const done = document.execCommand('copy')
  box.remove()
  if (before instanceof HTMLElement) before.focus({ preventScroll: true })
  return done
}
