import { randomBytes } from 'node:crypto'
import { requestText } from './raw_http.ts'

/** Makes texts that stand nowhere else, and knows where it put each. */
export class Canaries {
  readonly planted = new Map<string, string>()
  readonly #run = randomBytes(4).toString('hex')

  /** A new one, fit for a name, a label, a header, a path. */
  at(place: string): string {
    const canary = `canary-${this.#run}-${String(this.planted.size)}-x`
    this.planted.set(canary, place)
    return canary
  }
}

type Form = Readonly<Record<string, string>>

const FORM = 'Content-Type: application/x-www-form-urlencoded'
const JSON_TYPE = 'Content-Type: application/json'

/** A request that posts a form, and the one that posts the same as JSON. */
function posts(target: string, headers: readonly string[], form: Form): readonly string[] {
  const line = `POST ${target} HTTP/1.1`
  return [
    requestText(line, [...headers, FORM], new URLSearchParams(form).toString()),
    requestText(line, [...headers, JSON_TYPE], JSON.stringify(form)),
  ]
}

/** The same form again and again, each time with a canary in another parameter, and once as the name of one. */
export function formsWithCanaries(
  canaries: Canaries,
  {
    target,
    headers,
    form,
    names,
  }: {
    readonly target: string
    readonly headers: readonly string[]
    readonly form: Form
    readonly names: readonly string[]
  },
): readonly string[] {
  const values = names.map((name) => {
    const canary = canaries.at(`${target} ${name}`)
    return { ...form, [name]: name === 'resource' ? `urn:${canary}` : canary }
  })
  const named = { ...form, [canaries.at(`${target} parameter name`)]: 'x' }
  return [...values, named].flatMap((each) => posts(target, headers, each))
}

/** Requests with a canary in a header, each built on a request that is good but for that. */
export function headersWithCanaries(
  canaries: Canaries,
  request: (more: readonly string[]) => string,
): readonly string[] {
  const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`
  const at = (name: string) => canaries.at(`header ${name}`)
  return [
    basic(`${at('Basic id')}:${at('Basic secret')}`),
    basic(`reports:${at('Basic secret of a client')}`),
    basic(`reports%zz${at('Basic that cannot be decoded')}:x`),
    basic(at('Basic without a colon')),
    `Authorization: Basic !${at('Basic that is no base64')}`,
    `Authorization: Bearer ${at('Bearer')}`,
    `Authorization: ${at('Authorization')} x`,
    `Cookie: session=${at('Cookie')}`,
    `DPoP: ${at('DPoP')}`,
    `User-Agent: ${at('User-Agent')}`,
    `Accept: ${at('Accept')}/*`,
    `Referer: https://${at('Referer')}.example/`,
    `Origin: https://${at('Origin')}.example`,
    `X-Forwarded-For: ${at('X-Forwarded-For')}`,
    `X-Request-Id: ${at('X-Request-Id')}`,
    `traceparent: ${at('traceparent')}`,
    `${at('name of a header')}: x`,
    `Lumo-Broker: ${at('Lumo-Broker')}`,
    `Expect: ${at('Expect')}`,
  ].map((header) => request([header]))
}

/** Requests for what is not there, cannot be read, or is no HTTP at all. */
export function oddRequests(
  canaries: Canaries,
  { target, headers, host }: { target: string; headers: readonly string[]; host: string },
): readonly string[] {
  const at = (place: string) => canaries.at(`${target} ${place}`)
  const post = (type: string, body: string) =>
    requestText(`POST ${target} HTTP/1.1`, [...headers, type], body)
  const get = (path: string) => requestText(`GET ${path} HTTP/1.1`, headers)
  const foreign = headers.filter((header) => !header.startsWith('Host:'))
  return [
    get(`/${at('path')}`),
    get(`/t/${at('tenant')}/api/v1/oauth/token`),
    get(`/t/${at('tenant')}/api/v1/.well-known/openid-configuration`),
    get(`/.well-known/oauth-authorization-server/orgs/${at('tenant')}/api/v1`),
    get(`/${at('unreadable path')}%zz`),
    get(`${target}/${at('longer path')}`),
    get(`${target}?${at('query name')}=${at('query value')}`),
    get(`${target}?audience=%zz${at('unreadable query')}`),
    get(`http://${at('absolute target')}.example${target}`),
    requestText(`PUT ${target} HTTP/1.1`, headers, at('body of PUT')),
    requestText(`POST /t/${at('tenant of POST')}/api/v1/oauth/token HTTP/1.1`, headers, 'a=b'),
    requestText(`POST ${target}?scope=${at('query of POST')} HTTP/1.1`, [...headers, FORM], 'a=b'),
    requestText(`GET ${target} HTTP/1.1`, [...foreign, `Host: ${at('Host')}.example`]),
    requestText(`${at('method').toUpperCase()} ${target} HTTP/1.1`, headers),
    post(JSON_TYPE, `{"subject_token":"${at('half of a JSON text')}`),
    post(JSON_TYPE, `{"scope":"a","scope":"${at('member twice')}"}`),
    post(JSON_TYPE, `{"scope":{"a":"${at('object as a value')}"}}`),
    post(JSON_TYPE, `["${at('array')}"]`),
    post(FORM, `scope=a&scope=${at('parameter twice')}`),
    post(FORM, `scope=%zz${at('unreadable form')}`),
    post(FORM, `subject_token=${at('body too large')}${'x'.repeat(70_000)}`),
    post('Content-Type: text/plain', at('text')),
    post(`Content-Type: ${at('media type')}`, 'a=b'),
    post(`Content-Type: application/json; charset=${at('charset')}`, '{}'),
    `${at('no HTTP')}\r\n\r\n`,
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${at('header without a colon')}\r\n\r\n`,
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX: ${at('header too large')}${'x'.repeat(20_000)}\r\n\r\n`,
    `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n${at('no chunk')}\r\n`,
  ]
}
