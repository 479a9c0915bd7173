import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { ACCESS_TOKEN, docs, exchangeOf, type Answer } from '../fakes/running_authority.ts'

const AWS_REQUEST = 'urn:ietf:params:aws:token-type:aws4_request'
const grants = `grants: [{ target: ${docs}, scopes: [read:documents] }]`
const proof = (name: string) =>
  `proof: { provider: prod, namespace: research, serviceAccount: ${name} }`
const policy = `
agents:
  - name: slow
    ${proof('slow')}
    ${grants}
    exchangesPerMinute: 3
  - name: quick
    ${proof('quick')}
    ${grants}
  - name: helper
    ${proof('helper')}
    ${grants}
    delegation: { scopes: [read:documents], perSubjectPerHour: 2 }
  - name: chosen
    ${proof('chosen')}
    ${grants}
    delegation: { scopes: [read:documents], subjects: ['user_a', 'team-*'] }
`

let clock: FakeClock
let world: Peopled

beforeEach(async () => {
  clock = new FakeClock()
  world = await peopledAuthority({ clock, policy })
})

afterEach(() => world.stop())

const exchange = async (agent: string): Promise<Answer> =>
  world.post(exchangeOf(await world.proofOf(agent), { audience: docs }))

const held = (answer: Answer) => ({
  status: answer.status,
  error: answer.json['error'],
  wait: answer.headers['retry-after'],
  reason: world.log.lines.at(-1)?.fields['reason'],
})

describe('an agent with exchangesPerMinute', () => {
  test('is held back when all its workloads together had so many, and told for how long', async () => {
    for (let n = 0; n < 3; n++) expect((await exchange('slow')).status).toBe(200)
    const tooMany = { status: 429, error: 'too_many_requests', wait: '20', reason: 'agent_limit' }
    expect(held(await exchange('slow'))).toEqual(tooMany)
    clock.advance(20_000)
    expect((await exchange('slow')).status).toBe(200)
    expect(held(await exchange('slow'))).toEqual(tooMany)
  })

  test('holds nobody else back', async () => {
    for (let n = 0; n < 4; n++) await exchange('slow')
    for (let n = 0; n < 5; n++) expect((await exchange('quick')).status).toBe(200)
  })
})

/** A token on behalf of a user who agreed. */
async function onBehalf(agent: string, user: string): Promise<Answer> {
  await world.allow(user, agent, ['read:documents'])
  const subject = await world.userToken({ scope: 'read:documents' }, user)
  return world.post({
    ...exchangeOf(subject),
    subject_token_type: ACCESS_TOKEN,
    actor_token: await world.agentToken(agent),
    actor_token_type: ACCESS_TOKEN,
  })
}

describe('whoever was given a token of an agent', () => {
  test('can narrow it, and uses up nothing of the agent’s by that', async () => {
    const token = String((await exchange('slow')).json['access_token'])
    for (let n = 0; n < 5; n++) {
      const answer = await world.post({ ...exchangeOf(token), subject_token_type: ACCESS_TOKEN })
      expect(answer.status).toBe(200)
    }
    expect((await exchange('slow')).status).toBe(200)
  })
})

describe('an agent with perSubjectPerHour', () => {
  test('gets so many tokens for one subject in an hour, and for another as many', async () => {
    for (let n = 0; n < 2; n++) expect((await onBehalf('helper', 'user_a')).status).toBe(200)
    const tooMany = {
      status: 429,
      error: 'too_many_requests',
      wait: '1800',
      reason: 'delegation_limit',
    }
    expect(held(await onBehalf('helper', 'user_a'))).toEqual(tooMany)
    expect((await onBehalf('helper', 'user_b')).status).toBe(200)
  })

  test('gets tokens of its own meanwhile', async () => {
    for (let n = 0; n < 3; n++) await onBehalf('helper', 'user_a')
    expect((await exchange('helper')).status).toBe(200)
  })
})

describe('an agent with subjects', () => {
  test('acts for those', async () => {
    expect((await onBehalf('chosen', 'user_a')).status).toBe(200)
  })

  test('acts for nobody else, whatever they agreed to', async () => {
    const { json, status } = await onBehalf('chosen', 'user_b')
    expect({ status, error: json['error'] }).toEqual({
      status: 403,
      error: 'delegation_not_allowed',
    })
    expect(world.log.lines.at(-1)?.fields['reason']).toBe('delegation_subject_not_allowed')
  })
})

test('a policy that no longer allows a subject reaches tokens that were made for it before', async () => {
  const { json } = await onBehalf('chosen', 'user_a')
  const narrow = () =>
    world.post({
      ...exchangeOf(String(json['access_token'])),
      subject_token_type: ACCESS_TOKEN,
    })
  expect((await narrow()).status).toBe(200)
  await writeFile(join(world.folder, 'policy.yaml'), policy.replace("'user_a', ", ''))
  clock.advance(1_000)
  await expect.poll(async () => (await narrow()).status, { timeout: 10_000 }).toBe(403)
})

describe('an address that has failed too often', () => {
  test('is told so before it has STS asked, or a row kept for a DPoP proof', async () => {
    const held = await peopledAuthority({ clock, policy, limits: { failuresPerMinute: 1 } })
    onTestFinished(() => held.stop())
    const rubbish = { ...exchangeOf('x'), subject_token_type: AWS_REQUEST }
    expect((await held.post(rubbish)).status).toBe(400)
    const statuses = [
      await held.post(rubbish),
      await held.post(exchangeOf('x'), { dpop: 'not even read' }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([429, 429])
    // Who proves something is served.
    expect((await held.post(exchangeOf(await held.proofOf('quick')))).status).toBe(200)
  })
})

describe('a good proof that is nobody', () => {
  test('is on record with whose it is, and with what the nearest rule asks for', async () => {
    await exchange('stranger')
    const [row] = await world.withStore((store) => store.auditTail('acme-corp', 1))
    expect(JSON.parse(row?.text ?? '{}')).toMatchObject({
      event: 'token.refused',
      outcome: 'denied',
      reason: 'unmatched',
      mismatch: 'serviceAccount',
      provider: 'prod',
      subject_proof: 'system:serviceaccount:research:stranger',
    })
  })

  test('is explained to the operator at debug, and not on the wire', async () => {
    const { text } = await exchange('stranger')
    const explained = world.log.lines.find(({ level }) => level === 'debug')
    expect(explained?.fields['rules']).toContain(
      'agent slow: does not fit: serviceAccount must be "slow", the proof has "stranger" | ',
    )
    expect(text).not.toMatch(/slow|stranger|serviceAccount/)
  })
})
