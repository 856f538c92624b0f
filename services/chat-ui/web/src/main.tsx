import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import '@fontsource-variable/inter/wght.css'
import '@/styles/tokens.css'
import '@/styles/global.css'
import { App } from '@/app/App'
import { startUndo } from '@/lib/data/live'
import { startServerState } from '@/lib/data/server'
import { startSettings } from '@/lib/settings'

startSettings()
startServerState()
startUndo()

// Ready before the first answer needs it, and after the first paint.
setTimeout(() => void import('@/features/chat/markdown/Markdown'), 1500)

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
