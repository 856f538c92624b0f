export interface ServerEvent {
  id: string | null
  event: string
  data: string
}

/**
 * Incremental parser of text/event-stream (HTML Living Standard, 9.2.6).
 * Chunks may end anywhere, even between CR and LF; comments (keep-alives) are dropped.
 */
export class EventStreamParser {
  private rest = ''
  private first = true
  private data: string[] = []
  private event = ''
  private id: string | null = null

  push(chunk: string): ServerEvent[] {
    let text = this.rest + chunk
    if (this.first && text.length > 0) {
      if (text.startsWith('\uFEFF')) text = text.slice(1)
      this.first = false
    }
    const events: ServerEvent[] = []
    let from = 0
    for (;;) {
      const end = lineEnd(text, from)
      if (!end) break
      this.line(text.slice(from, end.at), events)
      from = end.next
    }
    this.rest = text.slice(from)
    return events
  }

  private line(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) {
        events.push({ id: this.id, event: this.event || 'message', data: this.data.join('\n') })
      }
      this.data = []
      this.event = ''
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'data') this.data.push(value)
    else if (field === 'event') this.event = value
    else if (field === 'id' && !value.includes('\0')) this.id = value
  }
}

/** A line ends at LF, CR LF or CR; a CR that is the last character may still get its LF. */
function lineEnd(text: string, from: number): { at: number; next: number } | null {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 10) return { at: i, next: i + 1 }
    if (code === 13) {
      if (i + 1 === text.length) return null
      return { at: i, next: text.charCodeAt(i + 1) === 10 ? i + 2 : i + 1 }
    }
  }
  return null
}
