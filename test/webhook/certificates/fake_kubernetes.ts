import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isJsonObject } from '../../../src/platform/strict_json.ts'
import { makeCa } from '../../fakes/certificates.ts'

type Json = Readonly<Record<string, unknown>>

interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

interface PatchStep {
  readonly op: 'test' | 'add'
  readonly path: string
  readonly value: unknown
}

/** The API server as far as it keeps single objects by path, with optimistic locking, and lists pods in pages. */
export class FakeKubernetes {
  readonly token = 'own-token'
  readonly objects = new Map<string, Json>()
  /** Pods as metadata only. */
  pods: Json[] = []
  readonly asked: Asked[] = []
  /** Answers every request with this status. */
  refuses: number | undefined
  /** What it says the time is; else it says what it is. */
  date: string | undefined
  /** What a proxy in between makes of every answer. */
  garbles: string | undefined
  /** Called before a PATCH takes place. */
  beforePatch: () => void = () => {}
  #version = 100

  put(path: string, object: Json): void {
    this.#version += 1
    const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {}
    const resourceVersion = String(this.#version)
    this.objects.set(path, { ...object, metadata: { ...metadata, resourceVersion } })
  }

  async listen() {
    const ca = await makeCa('fake kubernetes')
    const { cert, key } = await ca.issue()
    const server = createServer({ cert, key }, (request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (text: string) => {
        body += text
      })
      request.on('end', () => {
        this.#answer(request, body, response)
      })
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      })
    return { url: `https://127.0.0.1:${String(port)}`, ca: ca.pem, close }
  }

  #answer(request: IncomingMessage, text: string, response: ServerResponse): void {
    const { method = '', url: path = '', headers } = request
    const url = new URL(path, 'https://fake')
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    this.asked.push({ method, url, headers, body })
    const [status, answer] =
      headers.authorization === `Bearer ${this.token}`
        ? this.#decide(method, url, headers, body)
        : [401, {}]
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(this.date !== undefined && { date: this.date }),
    })
    response.end(this.garbles ?? JSON.stringify(answer))
  }

  #decide(
    method: string,
    url: URL,
    headers: IncomingMessage['headers'],
    body: unknown,
  ): readonly [number, unknown] {
    if (this.refuses !== undefined) return [this.refuses, {}]
    if (url.pathname === '/api/v1/pods') return [200, this.#page(url, headers)]
    const { pathname } = url
    const kept = this.objects.get(pathname)
    if (!kept) return [404, {}]
    if (method === 'PUT' && isJsonObject(body)) {
      if (versionOf(body) !== versionOf(kept)) return [409, {}]
      this.put(pathname, body)
    } else if (method === 'PATCH') {
      if (headers['content-type'] !== 'application/json-patch+json') return [415, {}]
      this.beforePatch()
      const patched = structuredClone(this.objects.get(pathname) ?? {})
      if (!(body as PatchStep[]).every((step) => apply(patched, step))) return [422, {}]
      this.put(pathname, patched)
    } else if (method !== 'GET') return [405, {}]
    return [200, this.objects.get(pathname)]
  }

  #page(url: URL, headers: IncomingMessage['headers']): Json {
    if (!headers.accept?.startsWith('application/json;as=PartialObjectMetadataList')) return {}
    const from = Number(url.searchParams.get('continue') ?? '0')
    const limit = Number(url.searchParams.get('limit'))
    const [name = '', value] = (url.searchParams.get('labelSelector') ?? '').split('=')
    const selected = this.pods.filter((pod) => {
      const { labels } = pod['metadata'] as { labels?: Json }
      return labels?.[name] === value
    })
    const more = from + limit < selected.length
    return {
      kind: 'PartialObjectMetadataList',
      items: selected.slice(from, from + limit),
      metadata: { resourceVersion: '1', ...(more && { continue: String(from + limit) }) },
    }
  }
}

function versionOf(object: Json): unknown {
  return isJsonObject(object['metadata']) ? object['metadata']['resourceVersion'] : undefined
}

/** RFC 6902, the two operations that are used. False: a test failed, or there is no such place. */
function apply(document: Json, { op, path, value }: PatchStep): boolean {
  const keys = path.split('/').slice(1)
  const last = keys.pop() ?? ''
  let place: unknown = document
  for (const key of keys) {
    if (typeof place !== 'object' || place === null) return false
    place = Reflect.get(place, key)
  }
  if (typeof place !== 'object' || place === null) return false
  return op === 'test' ? Reflect.get(place, last) === value : Reflect.set(place, last, value)
}
