import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ISSUER } from '../../fakes/peopled_authority.ts'
import { docs, files, type Answer, type Json } from '../../fakes/running_authority.ts'
import { asServiceB, asDocsApi, claimsOf, exchangeWorld, scopesOf, type World } from './world.ts'

/**
 * What each party may hold at each place, written down here a second time and by hand: the policy of the peopled authority,
 * read by somebody who does not know how a ceiling is made.
 */
const NOWHERE = 'nowhere'
const delegated: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'doc-analyst': {
    [NOWHERE]: ['read:documents', 'write:documents', 'read:reports'],
    [docs]: ['read:documents', 'write:documents'],
    [files]: ['read:documents'],
  },
  orchestrator: { [NOWHERE]: ['read:documents', 'read:reports'], [docs]: ['read:documents'] },
  specialist: { [NOWHERE]: ['read:documents'], [docs]: ['read:documents'] },
  shallow: { [NOWHERE]: ['read:documents'], [docs]: ['read:documents'] },
  loner: {},
  service_b: {
    [NOWHERE]: ['read:documents', 'read:reports'],
    [docs]: ['read:documents'],
    [files]: ['read:documents'],
  },
  'docs-api': {
    [NOWHERE]: ['read:documents', 'read:reports'],
    [docs]: ['read:documents'],
    [files]: ['read:documents'],
  },
}
const ofClients: Readonly<Record<string, readonly string[]>> = {
  [NOWHERE]: ['read:documents', 'write:documents', 'read:reports'],
  [docs]: ['read:documents', 'write:documents'],
  [files]: ['read:documents', 'list:files'],
}
const maxTargets: Readonly<Record<string, number>> = { 'doc-analyst': 2, web: 2 }
const maxDepth: Readonly<Record<string, number>> = { shallow: 1 }
/** Of the party itself: a token for such a target was made for it. */
const isItself: Readonly<Record<string, string>> = { 'docs-api': docs }
/** What users allowed, where nothing else joins them to an actor. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'doc-analyst': ['read:documents', 'write:documents', 'read:reports'],
  orchestrator: ['read:documents', 'read:reports'],
  specialist: ['read:documents'],
  shallow: ['read:documents'],
  loner: ['read:documents'],
  service_b: ['read:reports'],
}

const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  service_b: asServiceB,
  'docs-api': asDocsApi,
}
/** With the code that goes with each; anything else would be a refusal that nobody wrote down. */
const refusals = new Set([
  '400 invalid_request',
  '400 invalid_scope',
  '400 invalid_target',
  '403 access_denied',
  '403 delegation_not_allowed',
  '403 delegation_depth_exceeded',
])

let world: World
/** What came of the hops, so that a run in which nothing succeeded cannot pass for a good one. */
const seen = new Map<string, number>()

beforeAll(async () => {
  world = await exchangeWorld()
  // Tokens of actors are made in the past of a run, and no token is older than the key that signs it.
  world.clock.jump(86_400_000)
  for (const [agent, scopes] of Object.entries(allowed)) await world.allow('user_a', agent, scopes)
})

afterAll(async () => {
  await world.stop()
})

const scopes = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.subarray(['read:documents', 'write:documents', 'read:reports', 'agent:self'], {
      minLength: 1,
    }),
  },
)
const targets = fc.oneof(
  { weight: 6, arbitrary: fc.constant<readonly string[]>([]) },
  { weight: 3, arbitrary: fc.constantFrom([docs], [files]) },
  { weight: 1, arbitrary: fc.subarray([docs, files, 'https://nowhere.example'], { minLength: 2 }) },
)
const hop = fc.record({
  /** Undefined: the token is narrowed. */
  actor: fc.oneof(
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constantFrom('doc-analyst', 'orchestrator', 'specialist') },
    { weight: 1, arbitrary: fc.constantFrom(...Object.keys(delegated)) },
  ),
  /** How old the actor's token is, in seconds; now and then too old. */
  age: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 3_500, max: 3_700 }) },
  ),
  byBasic: fc.boolean(),
  scopes,
  targets,
  /** What goes by until the next hop. */
  pause: fc.integer({ min: 0, max: 400 }),
})
const start = fc.record({
  user: fc.constantFrom('user_a', 'user_a', 'user_b'),
  client: fc.constantFrom('web', 'other-web', 'handing-on'),
  scopes: fc.subarray(['openid', 'read:documents', 'write:documents', 'read:reports'], {
    minLength: 1,
  }),
  resources: fc.constantFrom([], [], [docs], [files]),
})

type Hop = typeof hop extends fc.Arbitrary<infer T> ? T : never
type Start = typeof start extends fc.Arbitrary<infer T> ? T : never

/** Chains that chance seldom makes, so that each run sees them: the longest, and two at a bound of one party alone. */
const anybody: Start = {
  user: 'user_a',
  client: 'web',
  scopes: ['read:documents', 'read:reports'],
  resources: [],
}
const plain: Hop = {
  actor: undefined,
  age: 60,
  byBasic: false,
  scopes: undefined,
  targets: [],
  pause: 60,
}
const longest: Hop[] = [
  ...['orchestrator', 'doc-analyst', 'specialist'].map((actor) => ({ ...plain, actor })),
  plain,
  { ...plain, actor: 'orchestrator' },
  { ...plain, targets: [docs] },
]

const tooDeepForOne: Hop[] = ['orchestrator', 'shallow'].map((actor) => ({ ...plain, actor }))
const tooManyForOne: Hop[] = [{ ...plain, actor: 'service_b', targets: [docs, files] }]

/** A token of an actor that is as old as it says. */
async function actorToken(name: string, age: number): Promise<string> {
  world.clock.jump(-age * 1_000)
  const token = secrets[name] ? await world.clientToken(name) : await world.agentToken(name)
  world.clock.jump(age * 1_000)
  return token
}

async function take(subject: string, { actor, age, byBasic, scopes, targets }: Hop) {
  const by = actor === undefined ? undefined : await actorToken(actor, age)
  const answer = await world.ask(
    {
      subject_token: subject,
      ...(by !== undefined && { actor_token: by }),
      ...(scopes && { scope: scopes.join(' ') }),
      ...(targets.length > 0 && { audience: targets }),
    },
    byBasic && actor !== undefined ? secrets[actor] : {},
  )
  return { answer, actorEnds: by === undefined ? Infinity : Number(claimsOf(by)['exp']) }
}

function listOf(aud: unknown): readonly string[] {
  return Array.isArray(aud) ? (aud as readonly string[]) : [String(aud)]
}

function depthOf(act: unknown): number {
  return act === undefined ? 0 : 1 + depthOf((act as Json)['act'])
}

/** Everything that has to be true of a token, given the one that it was made of. */
function judge(was: Json, is: Json, { actor, targets, scopes }: Hop, actorEnds: number): void {
  const party = actor ?? String(was['client_id'])
  const depth = depthOf(is['act'])
  for (const claim of ['iss', 'sub', 'grant_id', 'tenant', 'auth_time']) {
    expect([claim, is[claim]]).toEqual([claim, was[claim]])
  }
  expect(is['client_id']).toBe(party)
  expect(is['exp']).toBeLessThanOrEqual(Math.min(Number(was['exp']), actorEnds))
  expect(is['exp']).toBeGreaterThan(world.clock.now)

  if (actor === undefined) expect(is['act']).toEqual(was['act'])
  else {
    expect(is['act']).toEqual({
      sub: secrets[actor] ? actor : `agent:${actor}`,
      iss: ISSUER,
      client_id: actor,
      ...(was['act'] !== undefined && { act: was['act'] }),
    })
    expect(depth).toBeLessThanOrEqual(maxDepth[actor] ?? 3)
  }

  const [from, to] = [listOf(was['aud']), listOf(is['aud'])]
  const free = new Set([was['client_id'], ISSUER, party, isItself[party]])
  const confined = !from.some((audience) => free.has(audience))
  if (targets.length > 0) expect(to).toEqual(targets)
  else expect(to).toEqual(confined ? from : [party])
  if (confined) expect(from).toEqual(expect.arrayContaining([...to]))
  expect(to.length).toBeLessThanOrEqual(maxTargets[party] ?? 1)

  const held = scopesOf(is)
  expect(scopesOf(was)).toEqual(expect.arrayContaining([...held]))
  if (scopes) expect(held).toEqual([...scopes].toSorted())
  for (const place of to[0] === party ? [NOWHERE] : to) {
    const there = (depth === 0 ? ofClients : delegated[party])?.[place]
    expect([place, there]).toEqual([place, expect.any(Array)])
    expect(there).toEqual(
      expect.arrayContaining(held.filter((scope) => scope !== 'openid' || depth > 0)),
    )
  }
  if (actor !== undefined) judgeLink(was, held, actor)
}

/** Who acts was joined to the subject by something, and where that was the user's word, by no more than that. */
function judgeLink(was: Json, held: readonly string[], actor: string): void {
  const handed =
    was['client_id'] === actor ||
    listOf(was['aud']).some((audience) => audience === actor || audience === isItself[actor])
  const named = (was['may_act'] as Json | undefined)?.['sub'] === `agent:${actor}`
  if (handed || named) return
  expect(was['sub']).toBe('user_a')
  expect(allowed[actor]).toEqual(expect.arrayContaining([...held]))
}

function count(what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1)
}

function refused({ status, json }: Answer): void {
  const what = `${String(status)} ${String(json['error'])}`
  expect(refusals).toContain(what)
  expect(json).not.toHaveProperty('access_token')
  count(what)
}

async function walk({ user, client, scopes, resources }: Start, hops: readonly Hop[]) {
  // A user whose tokens cannot have these scopes there has no token to begin with.
  const wanted = resources.length === 0 ? scopes : scopes.filter(fits(resources[0]))
  const request = { clientId: client, scope: wanted.join(' ') || 'read:documents', resources }
  let subject = await world.userToken(request, user)
  for (const each of hops) {
    const { answer, actorEnds } = await take(subject, each)
    if (answer.status === 200) {
      const token = String(answer.json['access_token'])
      judge(claimsOf(subject), claimsOf(token), each, actorEnds)
      expect(answer.json).not.toHaveProperty('refresh_token')
      count(
        `${each.actor === undefined ? 'narrowed' : 'delegated'} to depth ${String(depthOf(claimsOf(token)['act']))}`,
      )
      subject = token
    } else {
      refused(answer)
    }
    world.clock.jump(each.pause * 1_000)
  }
}

function fits(target: string | undefined): (scope: string) => boolean {
  return (scope) => scope === 'openid' || (ofClients[target ?? NOWHERE] ?? []).includes(scope)
}

const chains = fc.asyncProperty(start, fc.array(hop, { minLength: 1, maxLength: 6 }), walk)

test('over any chain of exchanges, scope, audience and life never grow, and no chain is too long', async () => {
  await fc.assert(chains, { numRuns: 50 })
  expect(world.log.lines.filter(({ level }) => level === 'error')).toEqual([])
}, 60_000)

test('the same chains each time, among them every way that a hop can end', async () => {
  seen.clear()
  await fc.assert(chains, {
    numRuns: 150,
    seed: 20_261_121,
    examples: [longest, tooDeepForOne, tooManyForOne].map((hops): [Start, Hop[]] => [
      anybody,
      hops,
    ]),
  })
  const kinds = [
    ...[0, 1, 2, 3].map((depth) => `narrowed to depth ${String(depth)}`),
    ...[1, 2, 3].map((depth) => `delegated to depth ${String(depth)}`),
    ...refusals,
  ]
  expect(kinds.filter((kind) => !seen.has(kind))).toEqual([])
}, 60_000)
