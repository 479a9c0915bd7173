import assert from 'node:assert/strict'
import { systemClock } from '../../../../src/platform/clock.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import {
  bundleOf,
  readAuthority,
  writeAuthority,
  type Authority,
} from '../../../../src/webhook/certificates/authority.ts'
import { makeCa } from '../../../../src/webhook/certificates/issue.ts'
import { CHART_DEMO, CHART_SYSTEM, FULLNAME, plainPod, said, stays } from '../../chart.ts'
import type { Cluster } from '../../cluster.ts'
import { until, type Case } from '../../world.ts'

const CA = `${FULLNAME}-ca`
const WEBHOOK = `deployment/${FULLNAME}-webhook`
/** More than there are replicas that answer. */
const IN_A_ROW = 6

/** A target of the agent that nobody has asked for yet, so that an exchange is made. */
const asksAnew = `
fetch(process.env.LUMOAUTH_URL + '/v1/token?resource=https://docs.example.com', { headers: { 'lumo-broker': 'true' } })
  .then((answer) => console.log(answer.status))`

/**
 * The CA changes, both its steps: the following one is trusted beside the one that signs, then it signs. Its waits are left
 * out, of years and of ten minutes: what the program writes to the CA's Secret when they are over is written here.
 */
export const chartCaChange: Case = {
  name: 'chart ca change',
  async run({ cluster }) {
    const { signing } = await authorityOf(cluster)
    const next = await makeCa({ clock: systemClock, random: systemRandom })

    await write(cluster, { signing, next })
    // One that begins counts pods; one that runs, every ten minutes.
    await inSystem(cluster, 'rollout', 'restart', WEBHOOK)
    await inSystem(cluster, 'rollout', 'status', WEBHOOK, '--timeout=180s')
    await untilEverywhere(cluster, bundleOf({ signing, next }))
    await untilPodsTrust(cluster, 2)
    await until('pods before the CA to be counted', () => countsPodsBefore(cluster))
    await cluster.apply(plainPod('trusts-both', { script: stays }))
    assert.equal((await said(cluster, 'trusts-both')).trim(), '200 agent:self')

    const after = { signing: next, old: signing }
    await write(cluster, after)
    await untilEverywhere(cluster, bundleOf(after))
    await untilServed(cluster, next.certificate.subject)
    const asked = await cluster.exec(CHART_DEMO, 'trusts-both', 'app', ['node', '-e', asksAnew])
    assert.equal(asked.trim(), '200')
    await cluster.apply(plainPod('after-change', { script: stays }))
    assert.equal((await said(cluster, 'after-change')).trim(), '200 agent:self')
    await cluster.kubectl('-n', CHART_DEMO, 'delete', 'pod', 'trusts-both', 'after-change')
  },
}

function inSystem(cluster: Cluster, ...args: readonly string[]): Promise<string> {
  return cluster.kubectl('-n', CHART_SYSTEM, ...args)
}

async function dataOf(cluster: Cluster, secret: string): Promise<Record<string, string>> {
  const { data } = (await cluster.get('secret', secret, CHART_SYSTEM)) as {
    readonly data: Readonly<Record<string, string>>
  }
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  )
}

async function authorityOf(cluster: Cluster): Promise<Authority> {
  const authority = readAuthority(await dataOf(cluster, CA))
  if (typeof authority === 'string') throw new Error(`the CA's Secret is ${authority}`)
  return authority
}

async function write(cluster: Cluster, authority: Authority): Promise<void> {
  const data = Object.fromEntries(
    Object.entries(writeAuthority(authority)).map(([key, text]) => [
      key,
      Buffer.from(text).toString('base64'),
    ]),
  )
  const patch = [{ op: 'replace', path: '/data', value: data }]
  await inSystem(cluster, 'patch', 'secret', CA, '--type=json', '-p', JSON.stringify(patch))
}

/** Every leaf's Secret, and the API server's own copy. */
async function untilEverywhere(cluster: Cluster, bundle: string): Promise<void> {
  await until('the CAs to be brought everywhere', async () => {
    for (const leaf of ['authority', 'webhook']) {
      assert.equal((await dataOf(cluster, `${FULLNAME}-${leaf}-tls`))['ca.crt'], bundle)
    }
    const path = 'jsonpath={.webhooks[0].clientConfig.caBundle}'
    const at = ['get', 'mutatingwebhookconfiguration', `${FULLNAME}.${CHART_SYSTEM}`, '-o', path]
    assert.equal(Buffer.from(await cluster.kubectl(...at), 'base64').toString(), bundle)
    return true
  })
}

/** Replicas take a bundle up one after the other. */
async function untilPodsTrust(cluster: Cluster, count: number): Promise<void> {
  const pod = plainPod('not-made', { script: stays })
  await until(`pods that trust ${String(count)} CAs`, async () => {
    for (let time = 0; time < IN_A_ROW; time += 1) {
      const made = await cluster.tryKubectl(
        ['create', '--dry-run=server', '-o', 'json', '-f', '-'],
        JSON.stringify(pod),
      )
      assert.equal(made.code, 0, made.stderr)
      const { metadata } = JSON.parse(made.stdout) as {
        readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
      }
      assert.equal(metadata.annotations['lumoauth.dev/ca']?.split(',').length, count)
    }
    return true
  })
}

/** By the replica that writes. One that is ending may still say what it counted before there was a next CA: none. */
async function countsPodsBefore(cluster: Cluster): Promise<true | undefined> {
  const selected = ['-l', 'app.kubernetes.io/component=webhook', '-o', 'name']
  const pods = (await inSystem(cluster, 'get', 'pods', ...selected)).trim().split('\n')
  const counts: number[] = []
  for (const pod of pods) {
    const path = `/api/v1/namespaces/${CHART_SYSTEM}/pods/${pod.replace('pod/', '')}:9190/proxy/metrics`
    const text = await cluster.kubectl('get', '--raw', path)
    counts.push(Number(/^lumo_webhook_pods_before_ca (\S+)$/m.exec(text)?.[1]))
  }
  return counts.some((count) => count > 0) || undefined
}

/** The kubelet brings a changed Secret within a minute or two, or as soon as something of its pod changes. */
async function untilServed(cluster: Cluster, issuer: string): Promise<void> {
  const pod = `${FULLNAME}-authority-0`
  await inSystem(cluster, 'annotate', 'pod', pod, 'looked-at=twice', '--overwrite')
  const look = `require('node:tls').connect({ host: '${FULLNAME}-authority.${CHART_SYSTEM}.svc', port: 9170, rejectUnauthorized: false }, function () {
    console.log(this.getPeerX509Certificate().issuer); this.destroy() })`
  await until('the authority to serve with a certificate of the new CA', async () => {
    const said = await cluster.exec(CHART_DEMO, 'trusts-both', 'app', ['node', '-e', look])
    return said.trim() === issuer.trim() || undefined
  })
}
