import type { Citation, Collection, Document, Grounding, Message, Session, Source } from '../src/lib/api/types.ts'

export const HANDBOOK = `# Backup and recovery

This chapter is for the people who keep the service running. It assumes a cluster with the operator installed.

## 4.1 What is stored where

- Originals: rows of the database, in slices
- Chunks and vectors: the same database
- Chat history: the same database

## 4.2 One store, one backup

Earlier releases kept originals on a shared volume, and a restore had to bring two copies to the same moment. 😀

Originals, chunks, vectors and chat history are rows of one database; recovering it to a moment brings all of them back as they were. Nothing else has to be saved.

\`\`\`sh
helm install rescue pilothouse/pilothouse \\
  --set database.recovery.source=pilothouse
\`\`\`

## 4.3 Drill

Run the drill each quarter. Install a second release from the backup, compare the counts that \`pilothouse status\` prints, ask the **three control questions**, and remove it.

The last drill took 34 seconds from the first command to the first answer. Write the duration down: it is the figure that people will ask for on the day that it matters.

## 4.4 Audit log

Every deletion is written to the audit log, with the time in UTC and the subject who did it.

${Array.from({ length: 40 }, (_, i) => `### 4.${i + 5} Appendix ${i + 1}\n\nParagraph ${i + 1} of the appendix, long enough to be scrolled past by whoever reads on after the passage that was quoted.\n`).join('\n')}`

const codePoints = (text: string) => [...text].length
const now = Date.now()
export const ago = (hours: number) => new Date(now - hours * 3_600_000).toISOString()

export function spanOf(quote: string): { start: number; end: number } {
  const start = codePoints(HANDBOOK.slice(0, HANDBOOK.indexOf(quote)))
  return { start, end: start + codePoints(quote) }
}

const QUOTES = [
  'Originals, chunks, vectors and chat history are rows of one database; recovering it to a moment brings all of them back as they were.',
  'Every deletion is written to the audit log, with the time in UTC and the subject who did it.',
  'The last drill took 34 seconds from the first command to the first answer.',
]

export const sources: Source[] = QUOTES.map((quote, index) => ({
  n: index + 1,
  chunk_id: `c${index + 1}`,
  document_id: 'd1',
  collection: 'operations-handbook',
  title: index === 1 ? 'Audit and access.md' : 'Backup and recovery.md',
  text: quote,
  page: index === 0 ? 12 : null,
  heading: '4.2 One store, one backup',
  score: [0.82, 0.71, 0.64][index] ?? 0.5,
  ...spanOf(quote),
}))

export const citations: Citation[] = sources.map(({ text, ...source }) => ({ ...source, quote: text }))

export const ANSWER = `Recover the database into a new cluster at a moment just before the deletion, then copy the collection across. Originals, chunks and chat history live in the same database, so one recovery brings all of them back. [1]

- Find the time of the deletion in the audit log; it is written in UTC. [2]
- Set \`database.recovery.targetTime\` a few seconds earlier and install a second release: [1]

\`\`\`sh
helm install rescue pilothouse/pilothouse \\
  --set database.recovery.source=pilothouse \\
  --set database.recovery.targetTime=2026-11-22T08:23:29Z
\`\`\`

The recovery took 34 seconds in the last drill. [3] Larger databases usually need a few minutes.`

export function groundingFor(text: string, status: Grounding['status'] = 'answered'): Grounding {
  const weak = 'Larger databases usually need a few minutes.'
  const at = text.indexOf(weak)
  const start = at < 0 ? 0 : codePoints(text.slice(0, at))
  const answered = status === 'answered'
  return {
    status,
    sentences: answered ? 5 : 0,
    supported: answered ? (at < 0 ? 5 : 4) : 0,
    unsupported: answered && at >= 0 ? [{ start, end: start + codePoints(weak) }] : [],
    model: status === 'answered' ? 'SmolLM2-135M-Instruct' : null,
    search: {
      query: 'recover deleted collection point in time',
      mode: 'hybrid',
      collections: ['operations-handbook'],
      timings_ms: { embed: 11, dense: 6, lexical: 4, fuse: 1, rerank: 0, total: 22 },
    },
  }
}

export function message(part: Partial<Message> & Pick<Message, 'id' | 'session_id' | 'role' | 'content'>): Message {
  return {
    status: 'done',
    collection: 'operations-handbook',
    model: null,
    sources: [],
    citations: [],
    grounding: null,
    error: null,
    feedback: null,
    run_id: null,
    created_at: ago(1),
    ...part,
  }
}

const session = (id: string, title: string, hours: number): Session => ({
  id,
  title,
  collection: 'operations-handbook',
  created_at: ago(hours),
  updated_at: ago(hours),
  active_run_id: null,
})

export const firstSessions = (): Session[] => [
  session('s1', 'Restoring a backup to a point in time', 0.2),
  session('s2', 'Which GPUs can we schedule on?', 1.5),
  session('s3', '发布流程需要谁批准？', 26),
  session('s4', 'Chính sách nghỉ phép năm nay', 28),
  session('s5', 'Error E-4017 after the upgrade', 30),
  session('s6', 'Long table and mathematics', 90),
]

const QUOTED = `“Search and reading keep working without the model server; answers fall back to quotations, and every quotation names its document.” [1]`

export const firstMessages = (): Message[] => [
  message({ id: 'm1', session_id: 's1', role: 'user', content: 'We deleted a collection by mistake an hour ago. How do we get it back?' }),
  message({ id: 'm2', session_id: 's1', role: 'assistant', content: ANSWER, sources, citations, grounding: groundingFor(ANSWER), model: 'SmolLM2-135M-Instruct' }),
  message({ id: 'm3', session_id: 's1', role: 'user', content: 'And if the model server is down meanwhile?' }),
  message({ id: 'm4', session_id: 's1', role: 'assistant', content: QUOTED, sources: sources.slice(0, 1), citations: citations.slice(0, 1), grounding: groundingFor('', 'model_unavailable') }),
  message({ id: 'm5', session_id: 's2', role: 'user', content: 'Which GPUs can we schedule on?' }),
  message({ id: 'm6', session_id: 's2', role: 'assistant', content: '', grounding: groundingFor('', 'nothing_relevant') }),
  message({ id: 'm7', session_id: 's5', role: 'user', content: 'What does E-4017 mean?' }),
  message({ id: 'm8', session_id: 's5', role: 'assistant', content: 'E-4017 is raised when the upgrade', status: 'error', sources, error: { code: 'model_lost', title: 'The model stopped in the middle.', detail: 'Ask again, or look at the log of the model server.' } }),
  message({ id: 'm9', session_id: 's6', role: 'user', content: 'Give me a wide table, 中文, العربية and code.' }),
  message({
    id: 'm10',
    session_id: 's6',
    role: 'assistant',
    status: 'stopped',
    sources,
    content: `## Limits\n\n| Name | Default | Largest value | Where it is set | Remarks |\n|---|---:|---:|:---:|---|\n| upload size | 100 MiB | 2 GiB | chart value \`ingest.limits.upload\` | per file |\n| top_k | 10 | 100 | request | passages |\n\n发布前需要两位负责人批准，并且必须在变更窗口内完成。 [1]\n\nهذا نص من اليمين إلى اليسار لاختبار الاتجاه.\n\n1. one\n2. two\n   - nested\n\n> quoted words\n\n\`\`\`python\ndef very_long_function_name(argument_one: dict[str, list[int]], argument_two: dict[str, list[int]]) -> None: ...\n\`\`\`\n\nThe sum $$\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}$$ is shown as it was`,
  }),
]

const document = (id: string, title: string, part: Partial<Document> = {}): Document => ({
  id,
  collection: 'operations-handbook',
  external_id: null,
  title,
  media_type: 'text/markdown',
  size_bytes: 48_213,
  sha256: '0',
  status: 'indexed',
  progress: 1,
  chunk_count: 61,
  error: null,
  metadata: {},
  created_at: ago(400),
  updated_at: ago(456),
  ...part,
})

export const firstDocuments = (): Document[] => [
  document('d1', 'Backup and recovery.md'),
  document('d2', 'Release process.pdf', { media_type: 'application/pdf', size_bytes: 2_400_000, chunk_count: 214 }),
  document('d3', 'GPU scheduling with Kueue.docx', { media_type: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document' }),
  document('d4', 'runbook.pdf', { media_type: 'application/pdf', status: 'embedding', progress: 0.64, chunk_count: 0, updated_at: ago(0) }),
  document('d5', 'scan-2019.pdf', { media_type: 'application/pdf', status: 'failed', chunk_count: 0, error: { code: 'no_text', detail: 'The PDF holds pictures of pages and no text. Recognise the text first, then upload it again.' } }),
]

export const collection = (name: string, documents: readonly Document[]): Collection => {
  const own = documents.filter((candidate) => candidate.collection === name)
  return {
    name,
    description: name === 'operations-handbook' ? 'How we run the platform' : null,
    access: { readers: ['everyone'], writers: ['user:local'] },
    owner: 'local',
    document_count: own.length,
    indexed_count: own.filter((candidate) => candidate.status === 'indexed').length,
    failed_count: own.filter((candidate) => candidate.status === 'failed').length,
    chunk_count: own.reduce((sum, candidate) => sum + candidate.chunk_count, 0),
    created_at: ago(400),
    updated_at: ago(1),
  }
}
