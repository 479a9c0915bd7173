import { afterAll, beforeAll, expect, test } from 'vitest'
import { ACCESS } from '../fakes/acting.ts'
import {
  Canaries,
  formsWithCanaries,
  headersWithCanaries,
  oddRequests,
} from '../fakes/canary_requests.ts'
import { FakeClock } from '../fakes/clock.ts'
import { userToken } from '../fakes/delegating.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { requestText, sendRaw, type RawAnswer } from '../fakes/raw_http.ts'
import { docs } from '../fakes/running_authority.ts'
import { runBroker, type ComposedBroker } from '../fakes/running_broker.ts'

const FORM = 'Content-Type: application/x-www-form-urlencoded'

let clock: FakeClock
let authority: Peopled
let broker: ComposedBroker
let headers: readonly string[]

/** What must stand in no line, no metric and no error, with a word for each. */
const secrets = new Map<string, string>()
const canaries = new Canaries()
const answers: RawAnswer[] = []

beforeAll(async () => {
  clock = new FakeClock()
  authority = await peopledAuthority({ clock })
  await authority.allow('user_a', 'doc-analyst', ['read:documents'])
  broker = await runBroker(authority, 'doc-analyst', {
    clock,
    broker: { rateLimit: { perSecond: 1_000_000, burst: 1_000_000 } },
  })
  headers = [`Host: ${broker.host}`, 'Lumo-Broker: true']
})

afterAll(async () => {
  await broker.stop()
  await authority.stop()
})

/** Whole, and each part that would be worth something, or tell something, alone. */
function keepSecret(text: unknown, word: string): void {
  if (typeof text !== 'string') return
  secrets.set(text, word)
  const parts = text.split('.')
  if (parts.length === 3) for (const part of parts) secrets.set(part, `a part of ${word}`)
  if (parts.length === 2) secrets.set(parts[1] ?? '', `the secret of ${word}`)
}

async function send(requests: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  let json: Readonly<Record<string, unknown>> = {}
  for (const request of requests) {
    const answer = await sendRaw(broker.port, request)
    answers.push(answer)
    json = answer.body.startsWith('{') ? (JSON.parse(answer.body) as typeof json) : {}
    keepSecret(json['access_token'], 'a delegated token')
    keepSecret(json['session'], 'a session')
    keepSecret(json['handle'], 'a handle')
  }
  return json
}

type Form = Readonly<Record<string, string>>

const posted = (path: string, form: Form, more: readonly string[] = []) =>
  requestText(
    `POST ${path} HTTP/1.1`,
    [...headers, FORM, ...more],
    new URLSearchParams(form).toString(),
  )

async function subjectOf(sub: string): Promise<Form> {
  const token = await authority.userToken({ clientId: 'other-web', scope: 'read:documents' }, sub)
  keepSecret(token, 'a subject token')
  return { subject_token: token, subject_token_type: ACCESS }
}

async function askAsMeant(): Promise<void> {
  const wanted = { audience: docs, scope: 'read:documents' }
  const subject = await subjectOf('user_a')
  await send([posted('/v1/exchange', { ...subject, ...wanted })])
  const { session } = await send([posted('/v1/sessions', subject)])
  const within = { session: String(session) }
  await send([
    posted('/v1/exchange', { ...within, ...wanted }),
    posted('/v1/exchange', { ...within, audience: docs, scope: 'write:documents' }),
    requestText(`DELETE /v1/sessions/${String(session)} HTTP/1.1`, headers),
    posted('/v1/exchange', { ...within, ...wanted }),
    requestText(`DELETE /v1/sessions/${String(session)} HTTP/1.1`, headers),
  ])
  const { handle } = await send([
    posted('/v1/exchange', { ...(await subjectOf('user_b')), ...wanted }),
  ])
  await send([
    requestText(`GET /v1/exchange/${String(handle)} HTTP/1.1`, headers),
    requestText(`GET /v1/exchange/${String(handle)}?a=b HTTP/1.1`, headers),
    requestText(`GET /v1/exchange/${String(handle)}x HTTP/1.1`, headers),
    requestText(`POST /v1/exchange/${String(handle)} HTTP/1.1`, headers),
    requestText(`GET /v1/sessions/${String(session)} HTTP/1.1`, headers),
  ])
}

async function askOddly(): Promise<void> {
  const form = await subjectOf('user_a')
  const names =
    'subject_token subject_token_type session audience resource scope agent colour actor_token'.split(
      ' ',
    )
  for (const target of ['/v1/exchange', '/v1/sessions']) {
    await send(formsWithCanaries(canaries, { target, headers, form, names }))
    await send(headersWithCanaries(canaries, (more) => posted(target, form, more)))
    await send(oddRequests(canaries, { target, headers, host: broker.host }))
    const method = target === '/v1/exchange' ? 'GET' : 'DELETE'
    await send([
      requestText(
        `${method} ${target}/${canaries.at(`${method} ${target} name`)} HTTP/1.1`,
        headers,
      ),
    ])
  }
  const lost = `AAAAAAAA.${'x'.repeat(20)}${canaries.at('lost session')}`.slice(0, 52)
  await send([posted('/v1/exchange', { session: lost })])
}

/** What a token says of itself, of which nothing is verified here and the authority verifies the signature. */
async function showOddSubjects(): Promise<void> {
  const at = (claim: string) => canaries.at(`claim of a subject token, ${claim}`)
  const variants: readonly Readonly<Record<string, unknown>>[] = [
    { sub: at('sub') },
    { iss: `https://${at('iss')}.example` },
    { client_id: at('client_id') },
    { jti: at('jti') },
    { exp: at('exp') },
    { act: { sub: at('act') } },
    { act: at('act that is none') },
    { colour: at('colour') },
  ]
  for (const claims of variants) {
    const token = userToken(clock, claims)
    keepSecret(token, 'an odd subject token')
    const form = { subject_token: token, subject_token_type: ACCESS }
    await send([posted('/v1/exchange', form), posted('/v1/sessions', form)])
  }
}

/** Words for those of the secrets that a text holds. */
function foundIn(text: string): readonly string[] {
  const lower = text.toLowerCase()
  return [...secrets, ...canaries.planted]
    .filter(([hidden]) => lower.includes(hidden.toLowerCase()))
    .map(([, word]) => word)
}

/** What a caller asked for by a good token is what the audit trail is kept to tell. */
const isOnRecord = (place: string) =>
  [' scope', ' audience', ' resource'].some((name) => place.endsWith(name))

test('whom it acts for, by which token, session or handle: nothing of it reaches the log, the metrics, the audit trail, or the body of an error', async () => {
  await askAsMeant()
  await askOddly()
  await showOddSubjects()
  const errors = answers.filter(({ status }) => status >= 400)
  const audit = await authority.withStore((store) => store.auditTail(undefined, 100_000))
  const metrics = await broker.metrics()
  expect({
    errors: errors.flatMap((answer) => foundIn(JSON.stringify(answer.headers) + answer.body)),
    log: foundIn(broker.log.text()),
    metrics: foundIn(metrics),
    log_of_the_authority: foundIn(authority.log.text()),
    audit: foundIn(audit.map(({ text }) => text).join('\n')).filter((place) => !isOnRecord(place)),
  }).toEqual({ errors: [], log: [], metrics: [], log_of_the_authority: [], audit: [] })

  // There was something to find, and no request was too much to be looked at.
  expect([...new Set(secrets.values())].toSorted()).toEqual([
    'a delegated token',
    'a handle',
    'a part of a delegated token',
    'a part of a subject token',
    'a part of an odd subject token',
    'a session',
    'a subject token',
    'an odd subject token',
    'the secret of a handle',
    'the secret of a session',
  ])
  expect(canaries.planted.size).toBeGreaterThan(100)
  expect(errors.length).toBeGreaterThan(100)
  expect(errors.filter(({ status }) => status === 429)).toEqual([])
  expect(answers.filter(({ status }) => status === 500)).toEqual([])
  for (const message of [
    'a token was issued on behalf of a subject',
    'an exchange for a subject brought no token',
  ]) {
    expect(broker.log.text()).toContain(message)
  }
})
