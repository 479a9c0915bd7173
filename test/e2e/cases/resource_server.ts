import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { ISSUER } from '../authority.ts'
import { DEMO, inApp, scriptPod, tokenIn, untilReady } from '../pods.ts'
import type { Case } from '../world.ts'

const NAME = 'docs-api'
const AUDIENCE = 'https://docs.example.com'

/** A token opens an API in another pod that knows the issuer's URL and its CA, and nothing else. */
export const resourceServer: Case = {
  name: 'resource server',
  async begin({ cluster }) {
    await cluster.apply(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: NAME, namespace: DEMO },
        data: { 'server.mjs': await bundle() },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: NAME, namespace: DEMO },
        spec: { selector: { app: NAME }, ports: [{ port: 8080 }] },
      },
      await scriptPod(NAME, {
        container: {
          command: ['node', '/srv/server.mjs'],
          env: [
            { name: 'ISSUER', value: ISSUER },
            { name: 'AUDIENCE', value: AUDIENCE },
            { name: 'NODE_EXTRA_CA_CERTS', value: '/ca/ca.crt' },
          ],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          volumeMounts: [
            { name: 'code', mountPath: '/srv', readOnly: true },
            { name: 'ca', mountPath: '/ca', readOnly: true },
          ],
        },
        volumes: [
          { name: 'code', configMap: { name: NAME } },
          { name: 'ca', configMap: { name: 'lumo-authority-ca' } },
        ],
      }),
    )
  },
  async run({ cluster }) {
    await untilReady(cluster, NAME)
    const call = (authorization: string) =>
      inApp(
        cluster,
        'hello-agent',
        `fetch('http://${NAME}.${DEMO}.svc:8080/', { headers: { authorization: ${JSON.stringify(authorization)} } }).then(async (r) => console.log(JSON.stringify({ status: r.status, body: await r.json() })))`,
      )
    const good = (await tokenIn(cluster, 'hello-agent', `?audience=${AUDIENCE}`)).access_token
    const elsewhere = (await tokenIn(cluster, 'hello-agent')).access_token
    assert.deepEqual(await call(`Bearer ${good}`), {
      status: 200,
      body: { sub: 'agent:hello-agent', scope: 'read:documents' },
    })
    const refused = { status: 401, body: {} }
    assert.deepEqual(await call(`Bearer ${elsewhere}`), refused, 'made for another audience')
    assert.deepEqual(await call(`Bearer ${good.slice(0, -6)}AAAAAA`), refused, 'another signature')
    assert.deepEqual(await call('Bearer '), refused, 'no token')
  },
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../resource_server.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    minify: true,
  })
  return outputFiles[0]?.text ?? ''
}
