import { afterEach, expect, test } from 'vitest'
import {
  ask,
  listeningBroker,
  proofClaims,
  proofOf,
  proofPath,
  type ListeningBroker,
} from '../fakes/broker.ts'

let broker: ListeningBroker | undefined

afterEach(() => broker?.close())

async function start(): Promise<ListeningBroker> {
  broker = await listeningBroker()
  return broker
}

async function identityOf({ host }: ListeningBroker) {
  const answer = await fetch(`http://${host}/v1/identity`, { headers: { 'Lumo-Broker': 'true' } })
  return { status: answer.status, body: await answer.json() }
}

const proofFacts = {
  issuer: 'https://cluster.example',
  subject: 'system:serviceaccount:research:doc-analyst',
  pod_uid: '22222222',
  expires_in: 86_400,
}

/** Without a local policy, with the limits of `testBroker`. */
const unlimited = {
  allow: null,
  limits: {
    exchanges_per_minute: 100_000,
    audiences_per_hour: 10_000,
    act_depth: 10,
    subjects_at_once: 10_000,
    exchanges_per_subject_per_minute: 100_000,
  },
}

test('before any token: what the proof says', async () => {
  const started = await start()
  expect(await identityOf(started)).toEqual({
    status: 200,
    body: { proof: proofFacts, agent: null, ...unlimited },
  })
  expect(started.authority.asked).toEqual([])
})

test('what is left of the proof is told as time passes, and never below nothing', async () => {
  const started = await start()
  await identityOf(started)
  started.clock.advance(86_000_000)
  const soon = await identityOf(started)
  expect(soon.body).toMatchObject({ proof: { ...proofFacts, expires_in: 400 } })
  started.clock.advance(86_000_000)
  const late = await identityOf(started)
  expect(late.body).toMatchObject({ proof: { ...proofFacts, expires_in: 0 } })
})

test('a proof without a pod has no pod_uid', async () => {
  const started = await start()
  const claims = { ...proofClaims(started.clock.now), 'kubernetes.io': { namespace: 'research' } }
  started.files.write(proofPath, proofOf(claims))
  const { issuer, subject, expires_in } = proofFacts
  expect(await identityOf(started)).toEqual({
    status: 200,
    body: { proof: { issuer, subject, expires_in }, agent: null, ...unlimited },
  })
})

const namingClaims = {
  iss: 'https://auth.example/t/acme-corp/api/v1',
  sub: 'agent:doc-analyst',
  client_id: 'doc-analyst',
}

test.each([
  ['names an agent', {}, true],
  ['has no client_id', { client_id: undefined }, false],
  ['has no sub', { sub: undefined }, false],
  ['has no iss', { iss: undefined }, false],
])('after a token that %s', async (_name, changes, known) => {
  const started = await start()
  started.authority.tokenOf = () => proofOf({ ...namingClaims, ...changes })
  await ask(started)
  const agent = known ? { sub: 'agent:doc-analyst', client_id: 'doc-analyst' } : null
  const body = { proof: proofFacts, agent, ...unlimited }
  expect(await identityOf(started)).toEqual({ status: 200, body })
})

test('an opaque token leaves the agent as it was known', async () => {
  const started = await start()
  const agent = { sub: 'agent:doc-analyst', client_id: 'doc-analyst' }
  started.authority.tokenOf = (count) => (count === 1 ? proofOf(namingClaims) : 'opaque')
  await ask(started)
  await ask(started, 'audience=a')
  const body = { proof: proofFacts, agent, ...unlimited }
  expect(await identityOf(started)).toEqual({ status: 200, body })
})

test('without a proof it is 503 with the code of the fault', async () => {
  const started = await start()
  started.files.remove(proofPath)
  expect(await identityOf(started)).toEqual({
    status: 503,
    body: {
      error: 'temporarily_unavailable',
      error_description: "The pod's own proof is not there.",
      code: 'proof_missing',
    },
  })
})

test('requests are counted by route and code', async () => {
  const started = await start()
  await identityOf(started)
  await fetch(`http://${started.host}/v1/token`, { headers: { 'Lumo-Broker': 'true' } })
  await fetch(`http://${started.host}/v1/token`)
  await fetch(`http://${started.host}/a-path-that-is-no-label`)
  const lines = (await started.metrics.text()).split('\n')
  expect(lines.filter((line) => line.startsWith('lumo_requests_total{')).toSorted()).toEqual([
    'lumo_requests_total{listener="broker",route="identity",code="200"} 1',
    'lumo_requests_total{listener="broker",route="none",code="403"} 1',
    'lumo_requests_total{listener="broker",route="token",code="200"} 1',
    'lumo_requests_total{listener="broker",route="token",code="403"} 1',
  ])
})
