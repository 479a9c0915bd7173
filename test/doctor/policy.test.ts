import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { policyLink, type Target } from '../../src/doctor/policy.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { parseCompactJws } from '../../src/verifier/jws.ts'
import type { TokenChanges } from '../fakes/cluster.ts'
import { serve, type Page } from '../fakes/loopback.ts'
import { docs, runAuthority, TOKEN_PATH, type TestAuthority } from '../fakes/running_authority.ts'
import { lineOf, remoteAt, testWorld } from './world.ts'

let authority: TestAuthority

beforeAll(async () => {
  authority = await runAuthority({ clock: systemClock })
})

afterAll(() => authority.stop())

const plain: Target = { audiences: [], resources: [], scope: undefined, clientId: undefined }

/** The line of an authority at this origin, for a token of its cluster; nothing of a token is ever in it. */
async function lineFor(origin: string, target: Partial<Target> = {}, changes?: TokenChanges) {
  const compact = await authority.cluster.token(changes)
  const jws = parseCompactJws(compact)
  if (typeof jws === 'string') throw new Error(jws)
  const asked = { jws, target: { ...plain, ...target } }
  const line = lineOf(await policyLink(remoteAt(origin), undefined, asked, testWorld()))
  expect(line).not.toMatch(/eyJ/)
  for (const part of compact.split('.')) expect(line).not.toContain(part)
  return line
}

const account = (name: string): TokenChanges => ({
  claims: { sub: `system:serviceaccount:research:${name}` },
  bound: { serviceaccount: { name, uid: 'u' } },
})

const adviceFor = (name: string, issuer = 'https://cluster.example') =>
  `does its trust policy have one agent for system:serviceaccount:research:${name}, and a provider for issuer ${issuer}? Its log has the reason, and lumo-broker explain shows it there`

describe('a real exchange', () => {
  test.each([
    [
      'without a target',
      {},
      undefined,
      'ok policy: agent:doc-analyst gets a token for 30 min, scope "agent:self"',
    ],
    [
      'for a target',
      { audiences: [docs], scope: ['read:documents'] },
      undefined,
      'ok policy: agent:doc-analyst gets a token for 30 min, scope "read:documents"',
    ],
    [
      'that names one of two agents',
      { clientId: 'second-of-two' },
      account('shared'),
      'ok policy: agent:second-of-two gets a token for 1 h, scope ""',
    ],
    [
      'that names none of two',
      {},
      account('shared'),
      `failed policy: refused: the authority says invalid_request; ${adviceFor('shared')}`,
    ],
    [
      'for a workload that is no agent',
      {},
      account('stranger'),
      `failed policy: refused: the authority says invalid_request; ${adviceFor('stranger')}`,
    ],
    [
      'of an issuer that is not known',
      {},
      { claims: { iss: 'https://other.example' } },
      `failed policy: refused: the authority says invalid_request; ${adviceFor('doc-analyst', 'https://other.example')}`,
    ],
    [
      'for a target that is not allowed',
      { audiences: ['https://nowhere.example'] },
      undefined,
      'failed policy: relayed: the authority says invalid_target; ask for an audience or resource that the grants of this agent name',
    ],
    [
      'for a scope that is not allowed',
      { audiences: [docs], scope: ['delete:documents'] },
      undefined,
      'failed policy: relayed: the authority says invalid_scope; ask for scopes that the grants of this agent name',
    ],
  ])('%s', async (_, target, changes, line) => {
    const origin = `http://127.0.0.1:${String(authority.port)}`
    expect(await lineFor(origin, target, changes)).toBe(line)
  })

  const log = 'the log of the authority has the reason'
  const refused = adviceFor('doc-analyst')
  const answers: readonly (readonly [name: string, page: Page, line: string])[] = [
    [
      'that brings an opaque token',
      {
        body: '{"access_token":"canary","token_type":"Bearer","expires_in":60,"scope":"a\\u009bb"}',
      },
      'ok policy: a token for 1 min, scope "a?b"',
    ],
    [
      'with an authority that is out',
      { status: 503 },
      `failed policy: outage: authority_unavailable: it answered 503; ${log}`,
    ],
    [
      'with an authority that has too much to do',
      { status: 429 },
      `failed policy: outage: authority_busy: it answered 429; ${log}`,
    ],
    [
      'with something else in its place',
      { status: 404, body: 'canary' },
      `failed policy: outage: authority_answer_unusable: it answered 404 without an OAuth error; ${log}`,
    ],
    [
      'that an agent is refused',
      { status: 401, body: '{"error":"invalid_client"}' },
      `failed policy: refused: the authority says invalid_client; ${refused}`,
    ],
    [
      'that is wrong for a reason of its own',
      { status: 400, body: '{"error":"invalid_request"}' },
      'failed policy: relayed: the authority says invalid_request; it refuses the proof or the request: its log has the reason',
    ],
  ]
  test.each(answers)('%s', async (_, page, line) => {
    const server = await serve({ [TOKEN_PATH]: page })
    onTestFinished(server.close)
    expect(await lineFor(server.origin)).toBe(line)
  })

  test('that an agent is refused which was named', async () => {
    const server = await serve({
      [TOKEN_PATH]: { status: 401, body: '{"error":"invalid_client"}' },
    })
    onTestFinished(server.close)
    expect(await lineFor(server.origin, { clientId: 'nobody' })).toBe(
      `failed policy: refused: the authority says invalid_client; ${refused}, or leave out --agent`,
    )
  })

  test('with an authority that is gone by now', async () => {
    const server = await serve({})
    await server.close()
    expect(await lineFor(server.origin)).toBe(
      `failed policy: outage: ${server.host}: ECONNREFUSED; try again: it answered a moment ago`,
    )
  })
})
