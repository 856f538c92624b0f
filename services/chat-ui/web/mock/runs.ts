import type { ServerResponse } from 'node:http'
import type { Message } from '../src/lib/api/types.ts'
import { ANSWER, citations, groundingFor, sources } from './data.ts'

interface Run {
  id: string
  message: Message
  events: string[]
  ended: boolean
  stop: boolean
  readers: Set<ServerResponse>
}

const runs = new Map<string, Run>()
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

export function startRun(id: string, message: Message, question: string, onEnd: () => void): Run {
  const run: Run = { id, message, events: [], ended: false, stop: false, readers: new Set() }
  runs.set(id, run)
  void play(run, question).then(onEnd)
  return run
}

export const findRun = (id: string) => runs.get(id)

/** Sends what was missed, then whatever comes. */
export function attach(run: Run, response: ServerResponse, after: number): void {
  response.setHeader('content-type', 'text/event-stream')
  response.setHeader('cache-control', 'no-store')
  response.flushHeaders()
  for (const event of run.events.slice(after + 1)) response.write(event)
  if (run.ended) response.end()
  else run.readers.add(response)
  response.on('close', () => run.readers.delete(response))
}

/** Breaks every open stream of the run, as a lost connection does. */
export function breakStreams(run: Run): void {
  for (const reader of run.readers) reader.destroy()
  run.readers.clear()
}

function emit(run: Run, event: string, data: unknown): void {
  const text = `id: ${run.events.length}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
  run.events.push(text)
  for (const reader of run.readers) reader.write(text)
}

/** The question chooses what happens: "slow", "nothing", "down", "fail", "lost", "long". */
async function play(run: Run, question: string): Promise<void> {
  const { message } = run
  const has = (word: string) => question.toLowerCase().includes(word)
  const step = has('slow') ? 120 : 25
  const finish = (status: Message['status']) => {
    message.status = status
    emit(run, status === 'error' ? 'error' : 'done', { message })
    run.ended = true
    for (const reader of run.readers) reader.end()
  }
  await wait(has('slow') ? 2500 : 500)
  if (has('nothing')) {
    message.grounding = groundingFor('', 'nothing_relevant')
    return finish('done')
  }
  message.sources = sources
  emit(run, 'sources', { run_id: run.id, attempt: 1, sources })
  await wait(has('slow') ? 2500 : 500)
  const answer = has('long') ? Array.from({ length: 25 }, () => ANSWER).join('\n\n') : ANSWER
  const begins = message.content
  message.content = ''
  if (begins) emit(run, 'token', { text: (message.content = begins) })
  let sent = 0
  for (const token of answer.match(/\S+\s*/g) ?? []) {
    if (run.stop) return finish('stopped')
    message.content += token
    emit(run, 'token', { text: token })
    sent++
    if (has('lost') && sent === 20) breakStreams(run)
    if (has('fail') && sent === 30) {
      message.error = { code: 'model_lost', title: 'The model stopped in the middle.', detail: 'Ask again, or look at the log of the model server.' }
      return finish('error')
    }
    await wait(has('long') ? 5 : step)
  }
  message.citations = citations
  message.grounding = groundingFor(answer, has('down') ? 'model_unavailable' : 'answered')
  message.model = 'SmolLM2-135M-Instruct'
  finish('done')
}
