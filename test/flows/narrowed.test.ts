import { readFile, writeFile } from 'node:fs/promises'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { narrowed, type Bounds } from '../../src/webhook/narrowed.ts'
import { openPair } from '../cli/sidecar_pair.ts'
import { sendHttp } from '../fakes/running_authority.ts'

const DOCS = 'https://docs.example.com'

/** Its agent has `agent:self` without a target, and `read:documents` at one. */
const cases: readonly (readonly [
  name: string,
  bounds: Partial<Bounds>,
  query: string,
  outcome: readonly unknown[],
])[] = [
  [
    'a target and a scope',
    { audience: DOCS, scopes: ['read:documents'] },
    '',
    ['read:documents', DOCS],
  ],
  [
    'more scopes than the agent has',
    { audience: DOCS, scopes: ['write:documents', 'read:documents'] },
    '',
    ['read:documents', DOCS],
  ],
  ['a target alone', { audience: DOCS }, '', ['read:documents', DOCS]],
  [
    'targets of a pattern',
    { audience: 'https://*.example.com' },
    '',
    [403, 'audience_not_allowed'],
  ],
  [
    'targets of a pattern, one named',
    { audience: 'https://*.example.com' },
    `audience=${DOCS}`,
    ['read:documents', DOCS],
  ],
  ['a scope without a target', { scopes: ['agent:self'] }, '', ['agent:self', 'doc-analyst']],
  [
    'a scope of a target, none named',
    { scopes: ['read:documents'] },
    '',
    [403, 'scope_not_allowed'],
  ],
  [
    'a scope of a target, which is named',
    { scopes: ['read:documents'] },
    `audience=${DOCS}`,
    ['read:documents', DOCS],
  ],
  [
    'another scope',
    { audience: DOCS, scopes: ['write:documents'] },
    '',
    [403, 'scope_not_allowed'],
  ],
  [
    'less than is asked for',
    { audience: DOCS, scopes: ['read:documents'] },
    'scope=agent:self',
    [403, 'scope_not_allowed'],
  ],
  ['another target', { audience: 'urn:a' }, '', [400, 'request_refused']],
  ['its agent', { agent: 'doc-analyst' }, '', ['agent:self', 'doc-analyst']],
  ['an agent that does not fit', { agent: 'other' }, '', [403, 'authority_refused']],
]

test('a pod with annotations gets tokens for what they and its agent allow', async () => {
  const pair = await openPair(onTestFinished)
  await pair.start('authority.json')
  const outcomes = []
  for (const [name, bounds, query] of cases)
    outcomes.push([name, await outcomeOf(pair, bounds, query)])
  expect(outcomes).toEqual(cases.map(([name, , , outcome]) => [name, outcome]))
})

test('a pod that fits two agents is the one that its annotation says', async () => {
  const pair = await openPair(onTestFinished)
  const agents = ['writer', 'reader'].map((name) => ({
    name,
    proof: { provider: 'prod', namespace: 'research', serviceAccount: 'doc-analyst' },
    grants: [{ scopes: [`agent:${name}`] }],
  }))
  await writeFile(pair.at('policy.yaml'), JSON.stringify({ agents }))
  await pair.start('authority.json')
  expect(await outcomeOf(pair, {}, '')).toEqual([403, 'authority_refused'])
  expect(await outcomeOf(pair, { agent: 'reader' }, '')).toEqual(['agent:reader', 'reader'])
})

test('whoever logs in by a form, or reads a file, gets the same without naming anything', async () => {
  const pair = await openPair(onTestFinished)
  await pair.writeBroker({
    policyDocument: narrowed({ agent: undefined, audience: DOCS, scopes: ['read:documents'] }),
    dropIn: { guard: 'none' },
    sinks: [{ file: pair.at('token.json'), format: 'json' }],
  })
  await pair.run()
  const { json } = await sendHttp(portOf(pair), {
    method: 'POST',
    path: '/t/acme-corp/api/v1/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials&client_id=self&client_secret=any',
  })
  expect(json).toMatchObject({ scope: 'read:documents', token_type: 'Bearer' })
  const written = async (): Promise<unknown> =>
    JSON.parse(await readFile(pair.at('token.json'), 'utf8').catch(() => 'null'))
  const { access_token: token } = json
  await expect
    .poll(written, { interval: 20, timeout: 20_000 })
    .toMatchObject({ scope: 'read:documents', access_token: token })
})

const portOf = (pair: Awaited<ReturnType<typeof openPair>>) => Number(pair.port(2).split(':')[1])

/** Scope and audience of the token, or status and code. */
async function outcomeOf(
  pair: Awaited<ReturnType<typeof openPair>>,
  { agent, audience, scopes }: Partial<Bounds>,
  query: string,
): Promise<readonly unknown[]> {
  const policyDocument = narrowed({ agent, audience, scopes })
  await pair.writeBroker({ policyDocument })
  const stop = await pair.start('lumo.json')
  const { status, json } = await sendHttp(portOf(pair), {
    path: `/v1/token?${query}`,
    headers: { 'lumo-broker': 'true' },
  })
  const { access_token: token, scope, code } = json
  const ownAudience = typeof token === 'string' ? decodeJwt(token).aud : undefined
  await stop()
  return status === 200 ? [scope, ownAudience] : [status, code]
}
