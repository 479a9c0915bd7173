import { execFile } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { wantedOf } from '../../src/webhook/annotations.ts'
import { InjectionRefusal } from '../../src/webhook/refusal.ts'
import { ofKind, render } from './chart.ts'
import { agent, modeOf } from './modes.ts'
import { podsOf } from './pods.ts'

const [pod] = ofKind(render(modeOf('one agent and its test')), 'Pod')
const run = promisify(execFile)

test('the test pod is one of the agent, beside the agents of its namespace', () => {
  expect(pod?.metadata).toMatchObject({
    namespace: agent.proof.namespace,
    labels: { 'lumoauth.dev/inject': 'true' },
    annotations: { 'helm.sh/hook': 'test' },
  })
  expect(pod?.['spec']).toMatchObject({ serviceAccountName: agent.proof.serviceAccount })
})

test('the webhook has nothing against its annotations', () => {
  const { annotations = {} } = pod?.metadata ?? {}
  const [{ spec } = { spec: { containers: [] } }] = podsOf(pod ? [pod] : [])
  const asked = { metadata: { annotations }, spec } as unknown as Parameters<typeof wantedOf>[0]
  const wanted = wantedOf(asked, { defaultMode: 'sidecar', nodeBroker: undefined })
  expect(wanted).not.toBeInstanceOf(InjectionRefusal)
  expect(wanted).toMatchObject({ mode: 'sidecar', start: 'config', agent: agent.name })
})

/** What the main container of the pod runs, against a broker of ours instead of that of the pod. */
test('its program asks as the agent, and keeps the token to itself', async () => {
  const asked: string[] = []
  const broker = createServer((request, response) => {
    let form = ''
    request.on('data', (part: Buffer) => (form += part.toString()))
    request.on('end', () => {
      asked.push(`${String(request.headers['lumo-broker'])} ${request.url ?? ''} ${form}`)
      const body = { access_token: 'canary', scope: 'read:documents', expires_in: 3600 }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => {
    broker.listen(0, '127.0.0.1', () => {
      resolve()
    })
  })
  try {
    const { port } = broker.address() as AddressInfo
    const { containers } = (pod?.['spec'] ?? { containers: [] }) as {
      readonly containers: readonly { readonly command: string[]; readonly args: string[] }[]
    }
    const { command, args } = containers[0] ?? { command: [], args: [] }
    const program = args.join('').replace('127.0.0.1:9180', `127.0.0.1:${String(port)}`)
    const { stdout } = await run(process.execPath, [...command.slice(1), program])
    expect(stdout).toBe('A token with the scope "read:documents" for 3600 s.\n')
    expect(asked).toEqual([
      'true /v1/token agent=hello-agent&audience=https%3A%2F%2Fdocs.example.com',
    ])
  } finally {
    broker.close()
  }
})
