// Fails when the JavaScript that the page can load is larger than the budget.
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const BUDGET_KB = 180
const folder = new URL('../../src/pilothouse_chat_ui/static/', import.meta.url)
const scripts = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js'))
const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, folder))).length, 0)
const kb = Math.round(bytes / 100) / 10
process.stdout.write(`${scripts.length} scripts, ${kb} kB gzip (budget ${BUDGET_KB})\n`)
if (kb > BUDGET_KB) process.exit(1)
