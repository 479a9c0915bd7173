import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import { sqliteStore } from '../../../src/store/sqlite.ts'
import type { Store } from '../../../src/store/store.ts'
import { FakeClock } from '../../fakes/clock.ts'
import {
  CALLBACK,
  newClientKey,
  peopledAuthority,
  peopledClients,
  type ClientKey,
  type Peopled,
  type PeopledWish,
} from '../../fakes/peopled_authority.ts'
import { refuses, type RefusalCase } from '../../fakes/refusal_cases.ts'
import {
  ACCESS_TOKEN,
  basic,
  client,
  docs,
  files,
  FORM,
  newFolder,
  secret,
  TOKEN_EXCHANGE,
  TOKEN_PATH,
  type Answer,
  type HttpWish,
  type Json,
} from '../../fakes/running_authority.ts'

/** Parameters of an exchange; a list is a parameter that stands several times. */
export type Wish = Readonly<Record<string, string | readonly string[]>>

export interface World extends Peopled {
  readonly clock: FakeClock
  /** The authority's store, opened a second time, as a command does. */
  readonly store: Store
  /** A user allows an agent some scopes. */
  allow(user: string, agent: string, scopes: readonly string[]): Promise<void>
  /**
   * Everything in the store, to see that a refusal changed nothing, but for the audit trail and what is good once: that is
   * used up whatever came of it.
   */
  state(): Json
  ask(wish: Wish, headers?: Readonly<Record<string, string>>): Promise<Answer>
}

export const asDocsApi = basic('docs-api', secret)
export const asServiceB = basic('service_b', secret)
export const asSupport = basic('support', secret)

/** Scopes of a user's token that reach as far as a client of the peopled authority can. */
export const wide = 'read:documents write:documents read:reports'
/** The same, of a token for `docs`. */
export const atDocs = 'read:documents write:documents'

/** Beside the clients of the peopled authority: one that has users of its own and acts for them, one that
 * may not exchange, and one whose credentials do not say its name beside them. */
const moreClients = ({ jwk }: ClientKey): readonly Json[] => [
  client('desk', {
    grantTypes: ['authorization_code', 'client_credentials', 'token_exchange'],
    redirectUris: [CALLBACK],
    grants: [
      { scopes: ['read:documents', 'read:reports'] },
      { target: docs, scopes: ['read:documents'] },
      { target: files, scopes: ['read:documents'] },
    ],
    delegation: { scopes: ['read:documents', 'read:reports'] },
    lifetime: 600,
  }),
  client('no-exchange', {
    grantTypes: ['authorization_code', 'client_credentials'],
    redirectUris: [CALLBACK],
    grants: [{ scopes: ['read:documents'] }],
    delegation: { scopes: ['read:documents'] },
  }),
  {
    id: 'prover',
    methods: ['private_key_jwt'],
    jwks: { keys: [jwk] },
    grantTypes: ['token_exchange'],
  },
]

/** The peopled authority, where users have allowed agents to act for them, and whose state can be looked at. */
export async function exchangeWorld({ tenant, ...wish }: PeopledWish = {}): Promise<World> {
  const clock = new FakeClock()
  const folder = wish.folder ?? (await newFolder())
  const key = await newClientKey()
  const clients = [...peopledClients(key), ...moreClients(key)]
  const peopled = await peopledAuthority({
    ...wish,
    clock,
    folder,
    tenant: { clients, ...tenant },
  })
  const file = join(folder, 'authority.sqlite')
  const store = sqliteStore(file)
  return {
    ...peopled,
    key,
    clock,
    store,
    allow: (user, agent, scopes) =>
      store.putUserGrant({ tenant: 'acme-corp', user, agent, scopes, createdAt: clock.now }),
    state: () => stateOf(file),
    ask: (form, headers) => peopled.send(exchangeHttp(form, headers)),
    stop: async () => {
      await store.close()
      await peopled.stop()
      if (wish.folder === undefined) await rm(folder, { recursive: true })
    },
  }
}

function stateOf(file: string): Json {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const tables = database
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`)
      .all()
      .filter(({ name }) => !/audit|reservations|approvals|^sqlite_/.test(String(name)))
    return Object.fromEntries(
      tables.map(({ name }) => [
        String(name),
        database.prepare(`SELECT * FROM "${String(name)}"`).all(),
      ]),
    )
  } finally {
    database.close()
  }
}

/** An exchange over HTTP. The types of its tokens are access tokens, where nothing else is said. */
export function exchangeHttp(
  form: Wish,
  headers: Readonly<Record<string, string>> = {},
  path = TOKEN_PATH,
): HttpWish {
  const typed: Wish = {
    grant_type: TOKEN_EXCHANGE,
    ...(form['subject_token'] !== undefined && { subject_token_type: ACCESS_TOKEN }),
    ...(form['actor_token'] !== undefined && { actor_token_type: ACCESS_TOKEN }),
    ...form,
  }
  const pairs = Object.entries(typed).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => [name, one]),
  )
  return {
    method: 'POST',
    path,
    headers: { ...FORM, ...headers },
    body: new URLSearchParams(pairs).toString(),
  }
}

export function claimsOf(token: unknown): Json {
  return decodeJwt(String(token))
}

/** The token of an exchange that has to succeed, and never comes with a refresh or an ID token. */
export function granted(answer: Answer): string {
  expect(answer.json).toMatchObject({ access_token: expect.any(String) as unknown })
  expect(answer.status).toBe(200)
  expect(Object.keys(answer.json).toSorted()).toEqual([
    'access_token',
    'expires_in',
    'issued_token_type',
    'scope',
    'token_type',
  ])
  return String(answer.json['access_token'])
}

/** Holds a refusal against its case, and looks whether it left everything in the store as it was. */
export async function refusesUnchanged(world: World, wanted: RefusalCase): Promise<Answer> {
  const before = world.state()
  const answer = await refuses(world, wanted)
  expect(world.state()).toEqual(before)
  return answer
}

/** Scope values of a token, in an order that does not matter. */
export function scopesOf(claims: Json): readonly string[] {
  const { scope } = claims
  return typeof scope === 'string' ? scope.split(' ').toSorted() : []
}

/** A compact JWS with one bit of its signature turned, in canonical form. */
export function withBrokenSignature(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  return `${header}.${payload}.${bytes.toString('base64url')}`
}
