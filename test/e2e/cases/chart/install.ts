import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { documentOf } from '../../authority.ts'
import {
  CHART_SYSTEM,
  FULLNAME,
  helm,
  installing,
  plainPod,
  prepareNamespaces,
  said,
  stays,
  tryingAnother,
} from '../../chart.ts'
import type { Cluster } from '../../cluster.ts'
import { untilLogged, type TokenBody } from '../../pods.ts'
import type { Case } from '../../world.ts'

const TENANT = '/t/acme-corp/api/v1'
const ISSUER = `https://${FULLNAME}-authority.${CHART_SYSTEM}.svc:9170${TENANT}`

function document(cluster: Cluster, path: string): Promise<unknown> {
  return documentOf(cluster, [CHART_SYSTEM, `${FULLNAME}-authority`], `${TENANT}${path}`)
}

/** Key ids of the authority: its own, made at its first start and kept on its volume. */
export async function keysOf(cluster: Cluster): Promise<readonly string[]> {
  const set = (await document(cluster, '/.well-known/jwks.json')) as {
    readonly keys: readonly { readonly kid: string }[]
  }
  return set.keys.map(({ kid }) => kid)
}

/** The commands of the README print a token of the agent, which a library that is not ours verifies. */
export const chartToken: Case = {
  name: 'chart first token',
  async run({ cluster, installed }) {
    const printed = JSON.parse(installed.output.trim().split('\n').at(-1) ?? '') as TokenBody
    const jwks = await document(cluster, '/.well-known/jwks.json')
    const server = (await document(
      cluster,
      '/.well-known/openid-configuration',
    )) as oauth.AuthorizationServer
    assert.equal(server.issuer, ISSUER)
    const request = new Request('https://docs.example.com/', {
      headers: { authorization: `Bearer ${printed.access_token}` },
    })
    const claims = await oauth.validateJwtAccessToken(server, request, 'hello-agent', {
      [oauth.customFetch]: () => Promise.resolve(Response.json(jwks)),
    })
    assert.equal(claims.sub, 'agent:hello-agent')
    process.stdout.write(
      `       helm install to the first token in an application: ${installed.seconds.toFixed(0)} s\n`,
    )
  },
}

/** The kubelet brings a changed ConfigMap within a minute or two, or as soon as something of its pod changes. */
async function untilPolicyTaken(cluster: Cluster): Promise<void> {
  const pod = `${FULLNAME}-authority-0`
  await cluster.kubectl('-n', CHART_SYSTEM, 'annotate', 'pod', pod, 'looked-at=once', '--overwrite')
  await untilLogged(cluster, [CHART_SYSTEM, pod, 'authority'], /"what":"policy"/)
}

/** The chart's own test; a second release is refused; then one agent more, which is taken up without a restart. */
export const chartInstall: Case = {
  name: 'chart install',
  async run({ cluster }) {
    const tested = await helm(cluster, ['test', FULLNAME, '--timeout', '3m'])
    assert.match(tested, /Phase: +Succeeded/)
    await prepareNamespaces(cluster)
    await helm(cluster, installing())
    await assert.rejects(
      helm(cluster, tryingAnother),
      /this cluster has a lumo-broker already \(MutatingWebhookConfiguration lumo-broker\.lumo-system\)/,
    )
    await untilPolicyTaken(cluster)
    await cluster.apply(plainPod('new-agent', { script: stays }))
    assert.equal((await said(cluster, 'new-agent')).trim(), '200 agent:self')
  },
}
