import { announce, showToast } from '@/lib/data/live'
import { tNow } from '@/lib/i18n'

export async function copyText(text: string, said = tNow('app.copied')): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    announce(said)
    return true
  } catch {
    showToast(tNow('app.copyFailed'), { tone: 'bad' })
    return false
  }
}
