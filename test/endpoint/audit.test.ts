import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { FakeClock } from '../fakes/clock.ts'
import { asWeb, CALLBACK, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import {
  ACCESS_TOKEN,
  basic,
  docs,
  exchangeOf,
  FORM,
  newFolder,
  TOKEN_PATH,
  type Answer,
  type Json,
} from '../fakes/running_authority.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let folder: string
let world: Peopled
/** Beside the authority, as a command opens it. */
let store: Store

beforeAll(async () => {
  folder = await newFolder()
  world = await peopledAuthority({ clock, folder })
  store = sqliteStore(join(folder, 'authority.sqlite'))
})

afterAll(async () => {
  await store.close()
  await world.stop()
  await rm(folder, { recursive: true })
})

const CREDENTIALS = { grant_type: 'client_credentials' }
const hashOf = (token: unknown) => createHash('sha256').update(String(token)).digest('base64url')

async function rows(): Promise<readonly Json[]> {
  const all = await store.auditTail('acme-corp', 10_000)
  return all.map(({ text }) => JSON.parse(text) as Json)
}

/** What a request puts on record. */
async function recorded<T>(work: () => Promise<T>): Promise<readonly [T, readonly Json[]]> {
  const before = (await rows()).length
  const result = await work()
  return [result, (await rows()).slice(before)]
}

function ask(form: Form, headers: Form = asWeb): Promise<Answer> {
  return world.post(form, { traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`, ...headers })
}

interface Issue {
  readonly name: string
  readonly ask: () => Promise<Answer>
  readonly row: Json
}

const issues: readonly Issue[] = [
  {
    name: 'client_credentials',
    ask: () => ask({ ...CREDENTIALS, scope: 'read:reports' }),
    row: {
      grant: 'client_credentials',
      client_id: 'web',
      subject: 'web',
      audience: ['web'],
      scope_requested: 'read:reports',
      scope_granted: 'read:reports',
    },
  },
  {
    name: 'authorization_code',
    ask: async () => {
      const code = await world.code({ resources: [docs], scope: 'openid read:documents' })
      const form = { code, redirect_uri: CALLBACK }
      return ask({ grant_type: 'authorization_code', ...form })
    },
    row: {
      grant: 'authorization_code',
      client_id: 'web',
      subject: 'user_a',
      audience: [docs],
      scope_granted: 'read:documents',
    },
  },
  {
    name: 'refresh_token',
    ask: async () => {
      const { refresh_token: token } = await world.signIn({ scope: 'openid' })
      return ask({ grant_type: 'refresh_token', refresh_token: String(token) })
    },
    row: {
      grant: 'refresh_token',
      client_id: 'web',
      subject: 'user_a',
      audience: ['web'],
      scope_granted: 'openid',
    },
  },
  {
    name: 'the exchange of a proof',
    ask: async () => ask(exchangeOf(await world.proofOf('doc-analyst'), { audience: docs }), {}),
    row: {
      grant: 'token_exchange',
      client_id: 'doc-analyst',
      subject: 'agent:doc-analyst',
      rule: 'doc-analyst',
      provider: 'prod',
      subject_proof: 'system:serviceaccount:research:doc-analyst',
      audience: [docs],
      scope_granted: 'read:documents write:documents',
    },
  },
  {
    name: 'a delegation',
    ask: async () => {
      await world.allow('user_a', 'orchestrator', ['read:documents'])
      const form = {
        ...exchangeOf(await world.userToken({ scope: 'read:documents' })),
        subject_token_type: ACCESS_TOKEN,
        actor_token: await world.agentToken('orchestrator'),
        actor_token_type: ACCESS_TOKEN,
      }
      return ask(form, {})
    },
    row: {
      grant: 'token_exchange',
      client_id: 'orchestrator',
      subject: 'user_a',
      actor_chain: ['agent:orchestrator'],
      rule: 'orchestrator',
      audience: ['orchestrator'],
      scope_granted: 'read:documents',
    },
  },
]

describe('a token is on record before it is answered:', () => {
  for (const { name, ask: request, row } of issues) {
    test(name, async () => {
      const [answer, all] = await recorded(request)
      expect(answer.status).toBe(200)
      const token = String(answer.json['access_token'])
      const { jti, grant_id: grantId, exp } = decodeJwt(token)
      expect(all.at(-1)).toEqual({
        at: new Date(clock.wall()).toISOString(),
        event: 'token.issued',
        tenant: 'acme-corp',
        outcome: 'success',
        ...row,
        token_sha256: hashOf(token),
        jti,
        grant_id: grantId,
        expires_at: exp,
        request_id: answer.headers['x-request-id'],
        trace_id: 'ab'.repeat(16),
        ip_address: '127.0.0.1',
      })
    })
  }

  test('one row for each, of 100 at once', async () => {
    const [answers, all] = await recorded(() =>
      Promise.all(Array.from({ length: 100 }, () => ask(CREDENTIALS))),
    )
    expect(all).toHaveLength(100)
    expect(new Set(all.map((row) => row['token_sha256']))).toEqual(
      new Set(answers.map(({ json }) => hashOf(json['access_token']))),
    )
  })
})

interface Denial {
  readonly name: string
  readonly ask: () => Promise<Answer>
  readonly row: Json
}

const denials: readonly Denial[] = [
  {
    name: 'a wrong secret, without a word of what was asked',
    ask: () => ask({ ...CREDENTIALS, scope: 'canary', audience: 'canary' }, basic('web', 'canary')),
    row: { grant: 'client_credentials', reason: 'client_unproven' },
  },
  {
    name: 'a scope that is not allowed',
    ask: () => ask({ ...CREDENTIALS, scope: 'admin' }),
    row: {
      grant: 'client_credentials',
      client_id: 'web',
      subject: 'web',
      scope_requested: 'admin',
      audience: [],
      reason: 'scope_not_allowed',
    },
  },
  {
    name: 'an unknown code',
    ask: () => ask({ grant_type: 'authorization_code', code: 'canary', redirect_uri: 'canary' }),
    row: { grant: 'authorization_code', client_id: 'web', reason: 'code_unknown' },
  },
  {
    name: 'a false proof',
    ask: () => ask(exchangeOf('e30.e30.AAAA'), {}),
    row: { grant: 'token_exchange', reason: expect.any(String) as string },
  },
]

describe('a refusal is on record:', () => {
  for (const { name, ask: request, row } of denials) {
    test(name, async () => {
      const [answer, all] = await recorded(request)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(all).toEqual([
        {
          at: new Date(clock.wall()).toISOString(),
          event: 'token.refused',
          tenant: 'acme-corp',
          outcome: 'denied',
          ...row,
          request_id: answer.headers['x-request-id'],
          trace_id: 'ab'.repeat(16),
          ip_address: '127.0.0.1',
        },
      ])
      expect(JSON.stringify(all)).not.toContain('canary')
    })
  }

  test('but not what could not be read as a request, nor a traceparent that is none', async () => {
    const [, nothing] = await recorded(async () => {
      await ask({})
      await ask({ grant_type: 'password' })
      await world.send({ method: 'POST', path: `${TOKEN_PATH}?x=y`, headers: FORM })
    })
    expect(nothing).toEqual([])
    const [, all] = await recorded(() => ask(CREDENTIALS, { ...asWeb, traceparent: 'canary' }))
    expect(all).toHaveLength(1)
    expect(all[0]).not.toHaveProperty('trace_id')
  })
})
