import { request } from 'node:https'
import { AUTHORITY_POD } from './authority.ts'
import type { Cluster } from './cluster.ts'
import { HOST, makeReviewing, NODE_PORT_SERVICE, REVIEWING } from './reviewing_authority.ts'

export interface ExchangeAnswer {
  readonly status: number
  readonly retryAfterSeconds: number | undefined
  readonly body: Readonly<Record<string, unknown>>
}

/** Exchanges a proof at the second authority. Rejects when no answer comes. */
export type Exchange = (proof: string) => Promise<ExchangeAnswer>

/**
 * The second authority; it is made when it is not there yet. It is asked through a port of a node, for the way through the API
 * server ends whenever that is restarted.
 */
export async function reviewingAuthority(cluster: Cluster): Promise<Exchange> {
  const { code } = await cluster.tryKubectl(['get', 'namespace', REVIEWING])
  if (code !== 0) await makeReviewing(cluster)
  await cluster.kubectl(
    '-n',
    REVIEWING,
    'rollout',
    'status',
    'statefulset/lumo-authority',
    '--timeout=180s',
  )
  const trust = (await cluster.get('configmap', 'lumo-authority-ca', REVIEWING)) as {
    readonly data: { readonly 'ca.crt': string }
  }
  const service = (await cluster.get('service', NODE_PORT_SERVICE, REVIEWING)) as {
    readonly spec: { readonly ports: readonly { readonly nodePort: number }[] }
  }
  const address = await cluster.kubectl(
    'get',
    'nodes',
    '-o',
    "jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}",
  )
  return exchangeAt(address, service.spec.ports[0]?.nodePort ?? 0, trust.data['ca.crt'])
}

/** The reasons of its refusals so far, in order, as an operator reads them. */
export async function refusalsOf(cluster: Cluster): Promise<readonly string[]> {
  const log = await cluster.kubectl('-n', REVIEWING, 'logs', AUTHORITY_POD, '-c', 'authority')
  return log
    .split('\n')
    .filter((line) => line.includes('"token request refused"'))
    .map((line) => (JSON.parse(line) as { readonly reason: string }).reason)
}

export function nodeOfIt(cluster: Cluster): Promise<string> {
  const node = 'jsonpath={.spec.nodeName}'
  return cluster.kubectl('-n', REVIEWING, 'get', 'pod', AUTHORITY_POD, '-o', node)
}

/** What its account asked of the API server, and what came of it, such as `create /apis/… 201`. */
export async function askedByIt(cluster: Cluster): Promise<ReadonlySet<string>> {
  const text = await cluster.nodeFile('/var/log/kubernetes/audit.log')
  const lines = text
    .split('\n')
    .filter((line) => line.includes(`"system:serviceaccount:${REVIEWING}:lumo-authority"`))
  return new Set(
    lines.map((line) => {
      const { verb, requestURI, responseStatus } = JSON.parse(line) as {
        readonly verb: string
        readonly requestURI: string
        readonly responseStatus?: { readonly code: number }
      }
      return `${verb} ${requestURI} ${String(responseStatus?.code)}`
    }),
  )
}

function exchangeAt(address: string, port: number, ca: string): Exchange {
  return (proof) =>
    new Promise((resolve, reject) => {
      const form = new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: proof,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      })
      const outgoing = request({
        method: 'POST',
        host: address,
        port,
        path: '/t/acme-corp/api/v1/oauth/token',
        servername: HOST,
        ca,
        agent: false,
        timeout: 10_000,
        headers: {
          host: `${HOST}:9170`,
          'content-type': 'application/x-www-form-urlencoded',
        },
      })
      outgoing.on('error', reject)
      outgoing.on('timeout', () => outgoing.destroy(new Error('the authority does not answer')))
      outgoing.on('response', (incoming) => {
        let text = ''
        incoming.setEncoding('utf8').on('data', (part: string) => (text += part))
        incoming.on('end', () => {
          const { statusCode: status = 0, headers } = incoming
          const after = headers['retry-after']
          const retryAfterSeconds = after === undefined ? undefined : Number(after)
          const body = JSON.parse(text) as ExchangeAnswer['body']
          resolve({ status, retryAfterSeconds, body })
        })
      })
      outgoing.end(form.toString())
    })
}
