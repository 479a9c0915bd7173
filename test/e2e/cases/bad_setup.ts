import assert from 'node:assert/strict'
import { parse, stringify } from 'yaml'
import { makeCa } from '../../fakes/certificates.ts'
import { manifestsOf, type Cluster, type Manifest } from '../cluster.ts'
import { SYSTEM } from '../authority.ts'
import { agentPod, DEMO, podOf, SIDECAR, untilLogged, type PodChanges } from '../pods.ts'
import { terminationMessage } from '../termination.ts'
import type { Case, World } from '../world.ts'

type BrokerSection = Record<string, Record<string, unknown>>

/** The broker's configuration of `deploy/by-hand/agent.yaml` under another name, with changes. */
export async function brokerConfig(
  name: string,
  change: (broker: BrokerSection) => void,
): Promise<Manifest> {
  const manifest = (await manifestsOf('agent.yaml')).find(({ kind }) => kind === 'ConfigMap')
  const data = manifest?.['data'] as { 'config.yaml': string }
  const config = parse(data['config.yaml']) as { broker: BrokerSection }
  change(config.broker)
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: DEMO },
    data: { 'config.yaml': stringify(config) },
  }
}

interface Setup {
  readonly name: string
  readonly pod: PodChanges
  readonly also?: () => Promise<readonly Manifest[]>
  /** The sentence in the sidecar's log. */
  readonly sentence: RegExp
}

/** What waits for something to be mended: it says what, and keeps trying. */
const setups: readonly Setup[] = [
  {
    name: 'no-authority',
    pod: { config: 'no-authority' },
    also: async () => [
      await brokerConfig('no-authority', (broker) => {
        broker['authority'] = { ...broker['authority'], url: `https://nobody.${SYSTEM}.svc:9170` }
      }),
    ],
    sentence:
      /nobody\.lumo-system\.svc:9170: .*is the authority running, and is broker\.authority\.url right\?/,
  },
  {
    name: 'wrong-ca',
    pod: { ca: 'wrong-ca' },
    also: async () => [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'wrong-ca', namespace: DEMO },
        data: { 'ca.crt': (await makeCa('somebody else')).pem },
      },
    ],
    sentence:
      /certificate is not trusted .*does broker\.authority\.caFile hold the CA that signed it\?/,
  },
  {
    name: 'wrong-audience',
    pod: { proof: { audience: 'https://elsewhere.example' } },
    sentence: /made for another audience .*set the audience of the projected volume/,
  },
  {
    name: 'no-proof',
    pod: { withoutProof: true },
    sentence: /does not exist.*is the projected volume mounted\?/,
  },
]

async function applicationWaits(cluster: Cluster, pod: string): Promise<void> {
  const { status } = await podOf(cluster, pod)
  const [app] = status.containerStatuses ?? []
  assert.equal(app?.state.waiting?.reason, 'PodInitializing')
  assert.equal(app?.restartCount, 0, 'the application never crashed')
}

const waiting: readonly Case[] = setups.map(({ name, pod, also, sentence }) => ({
  name: `bad setup: ${name}`,
  begin: async ({ cluster }: World) => {
    await cluster.apply(...((await also?.()) ?? []), await agentPod(name, pod))
  },
  run: async ({ cluster }: World) => {
    await untilLogged(cluster, [DEMO, name, SIDECAR], sentence)
    await applicationWaits(cluster, name)
    const { status } = await podOf(cluster, name)
    const sidecar = status.initContainerStatuses?.find((container) => container.name === SIDECAR)
    assert.equal(sidecar?.restartCount, 0, 'the sidecar waits for it to be mended')
  },
}))

/** An agent that asks an authority whose clock is off. */
async function withClock(name: string, offset: number, { cluster }: World): Promise<void> {
  const pod = `agent-${name}`
  const host = `${name}.${SYSTEM}.svc`
  const ca = await makeCa(name)
  const { cert, key } = await ca.issue([host])
  await cluster.apply(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${name}-tls`, namespace: SYSTEM },
      stringData: { 'tls.crt': cert, 'tls.key': key },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: pod, namespace: DEMO },
      data: { 'ca.crt': ca.pem },
    },
    ...(await authorityNamed(name, offset)),
    await brokerConfig(`${pod}-config`, (broker) => {
      broker['authority'] = { ...broker['authority'], url: `https://${host}:9170` }
    }),
    await agentPod(pod, { config: `${pod}-config`, ca: pod }),
  )
}

const TEN_MINUTES = 600

/** To an authority that is behind, every fresh proof is of the future. It refuses, and both sides say so. */
const clockBehind: Case = {
  name: 'bad setup: clock-behind',
  begin: (world) => withClock('clock-behind', -TEN_MINUTES, world),
  run: async ({ cluster }) => {
    const message = await terminationMessage(cluster, 'agent-clock-behind')
    assert.match(message, /refuses a token to this workload/)
    await untilLogged(
      cluster,
      [SYSTEM, 'clock-behind-0', 'authority'],
      /"reason":"not_yet_valid".*is the clock of this authority right\?/,
    )
    await applicationWaits(cluster, 'agent-clock-behind')
  },
}

/** One that is ahead still believes proofs, and makes tokens of the future: the sidecar notices. */
const clockAhead: Case = {
  name: 'bad setup: clock-ahead',
  begin: (world) => withClock('clock-ahead', TEN_MINUTES, world),
  run: async ({ cluster }) => {
    await untilLogged(
      cluster,
      [DEMO, 'agent-clock-ahead', SIDECAR],
      /"seconds":(59\d|60\d).*clocks of the authority and of this machine are apart/,
    )
  },
}

/** The authority of `deploy/by-hand/authority.yaml` under another name and with another clock; its certificate names both. */
async function authorityNamed(name: string, clockOffset: number): Promise<readonly Manifest[]> {
  const kinds = new Set(['ConfigMap', 'Service', 'StatefulSet'])
  return (await manifestsOf('authority.yaml'))
    .filter(({ kind, metadata }) => kinds.has(kind) && metadata.name !== 'lumo-policy')
    .map((manifest) => {
      const text = stringify(manifest)
        .replaceAll('name: lumo-authority-config', `name: ${name}-config`)
        .replaceAll('secretName: lumo-authority-tls', `secretName: ${name}-tls`)
        .replaceAll(/name: lumo-authority$/gm, `name: ${name}`)
        .replaceAll('serviceName: lumo-authority', `serviceName: ${name}`)
        .replace('authority:\n', `authority:\n      clockOffset: ${String(clockOffset)}\n`)
      return parse(text) as Manifest
    })
}

export const badSetups: readonly Case[] = [...waiting, clockAhead, clockBehind]
