import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { authorityApi } from '../../src/endpoint/api/api.ts'
import { openApiDocument } from '../../src/ops/openapi.ts'
import { FakeClock } from '../fakes/clock.ts'
import { DpopKey } from '../fakes/dpop.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import {
  client,
  FORM,
  runAuthority,
  TOKEN_PATH,
  type HttpWish,
  type TestAuthority,
} from '../fakes/running_authority.ts'
import { Contract } from '../ops/contract.ts'

export type Form = Readonly<Record<string, string>>

/** What the authority says that it serves. */
export function describedAuthority(): Contract {
  const info = { title: 'authority', version: '1', description: 'An authority.' }
  return new Contract(openApiDocument(info, [authorityApi({ origin: 'https://auth.example' })]))
}

/** The authorities that are held against their description. */
export interface Worlds {
  readonly world: Peopled
  /** Its issuer is the bare origin, it has a tenant for each kind of key, and it answers a bad proof as LumoAuth does. */
  readonly other: TestAuthority
  /** The client `web` has used up what it may ask for. */
  readonly strict: Peopled
  /** A client's key for DPoP. */
  readonly key: DpopKey
  stop(): Promise<void>
}

export async function openWorlds(): Promise<Worlds> {
  const clock = new FakeClock()
  const world = await peopledAuthority({ clock })
  const other = await runAuthority({
    tenants: ({ cluster }) => [
      {
        slug: 'acme-corp',
        issuer: 'origin',
        workloadRefusal: 'workload_identity_failed',
        providers: [
          {
            name: 'prod',
            kind: 'kubernetes',
            issuers: [cluster.issuer],
            keys: { inline: { keys: [] } },
          },
        ],
        clients: [client('reporter')],
      },
      { slug: 'ed', algorithm: 'EdDSA' },
    ],
  })
  const strict = await peopledAuthority({ clock, limits: { clientPerMinute: 1 } })
  await strict.post(CREDENTIALS, asWeb)
  return {
    world,
    other,
    strict,
    key: new DpopKey('ES256', () => clock.now),
    stop: async () => {
      await world.stop()
      await other.stop()
      await strict.stop()
    },
  }
}

/** A request, and how it is answered. */
export interface Row {
  readonly name: string
  readonly status: number
  readonly error?: string
  readonly http: HttpWish | ((worlds: Worlds) => HttpWish | Promise<HttpWish>)
  readonly at?: 'world' | 'other' | 'strict'
}

/** Sends a request, and holds the answer against the description. A member more would be found. */
export async function expectAsDescribed(
  { status, error, http, at = 'world' }: Row,
  worlds: Worlds,
  contract: Contract,
): Promise<void> {
  const wanted = typeof http === 'function' ? await http(worlds) : http
  const answer = await worlds[at].send(wanted)
  expect([answer.status, answer.json['error']]).toEqual([status, error])
  const { method = 'GET', path = '' } = wanted
  expect(contract.faultsOf(method, path, answer)).toEqual([])
  const more = { ...answer, text: JSON.stringify({ ...answer.json, more: 1 }) }
  expect(contract.faultsOf(method, path, more)).not.toEqual([])
}

export const CREDENTIALS = { grant_type: 'client_credentials' }

export const wish = (form: Form, headers: Form = {}, path = TOKEN_PATH): HttpWish => ({
  method: 'POST',
  path,
  headers: { ...FORM, ...headers },
  body: new URLSearchParams(form).toString(),
})

/** A header with a proof for a place, with the token that goes with it if there is one. */
export async function proof(
  { world, key }: Worlds,
  path = TOKEN_PATH,
  method = 'POST',
  token?: string,
): Promise<Form> {
  const told = await world.post(CREDENTIALS, { dpop: 'x' })
  const ath =
    token === undefined ? undefined : createHash('sha256').update(token).digest('base64url')
  const claims = { htm: method, htu: `https://auth.example${path}`, ath }
  return { dpop: key.proof({ ...claims, nonce: told.headers['dpop-nonce'] }) }
}

/** An access token of a user that is bound to the key. */
export async function boundToken(worlds: Worlds): Promise<string> {
  const { world } = worlds
  const { json } = await world.redeem(
    await world.code(),
    {},
    { ...asWeb, ...(await proof(worlds)) },
  )
  return String(json['access_token'])
}
