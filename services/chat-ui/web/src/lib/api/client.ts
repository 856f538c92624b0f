/** RFC 9457 problem, or `offline` when no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title)
    this.name = 'ApiError'
  }

  static async from(response: Response): Promise<ApiError> {
    const body: unknown = await response.json().catch(() => null)
    const problem = (body && typeof body === 'object' ? body : {}) as Record<string, unknown>
    const text = (key: string, otherwise: string) => (typeof problem[key] === 'string' ? problem[key] : otherwise)
    return new ApiError(
      response.status,
      text('code', `http_${response.status}`),
      text('title', response.statusText),
      text('detail', ''),
    )
  }
}

type Listener = (state: { reachable: boolean; expired: boolean }) => void
const listeners = new Set<Listener>()

/** The offline and signed-out bars listen here: every call says what it saw. */
export function onReach(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function saw(reachable: boolean, expired: boolean): void {
  for (const listener of listeners) listener({ reachable, expired })
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin' })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    saw(false, false)
    throw new ApiError(0, 'offline', 'offline', '')
  }
  saw(true, response.status === 401)
  if (!response.ok) throw await ApiError.from(response)
  return response
}

export async function getJson<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await request(path, init)).json()) as T
}

export function send(method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  return request(path, { ...init, ...json, method })
}

export async function sendJson<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await send(method, path, body)).json()) as T
}

export function query(parameters: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return text ? `?${text}` : ''
}
