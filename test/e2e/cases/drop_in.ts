import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { agentPod, DEMO, inApp, untilReady } from '../pods.ts'
import type { Case } from '../world.ts'
import { NODE_BROKER } from './node_broker.ts'

const POD = 'drop-in'
const TENANT_TOKEN = '/t/acme-corp/api/v1/oauth/token'

/** A client that knows OAuth and nothing of brokers, in one text. */
async function clientScript(server: string, secret: string): Promise<string> {
  const contents = `
import { OAuth2Client } from '@badgateway/oauth2-client'
import { readFileSync } from 'node:fs'
const client = new OAuth2Client({ server: '${server}', tokenEndpoint: '${TENANT_TOKEN}', clientId: 'self', clientSecret: ${secret} })
client.clientCredentials({ resource: ['https://docs.example.com'] }).then(
  ({ accessToken }) => console.log(JSON.stringify(JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url')).aud)),
  (error) => console.log(JSON.stringify([error.httpCode, error.oauth2Code])),
)`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('../../..', import.meta.url)) },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

/** An unmodified OAuth client gets the pod's token with the local guard value, or on a node with the pod's own token, for a secret. */
export const dropIn: Case = {
  name: 'drop-in',
  async begin({ cluster }) {
    const guard = randomBytes(32).toString('base64url')
    await cluster.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: POD, namespace: DEMO },
        stringData: { guard },
      },
      await agentPod(POD, { env: [{ name: 'LUMO_GUARD_SECRET', secret: POD, key: 'guard' }] }),
    )
    await untilReady(cluster, POD)
  },
  async run({ cluster }) {
    const local = 'http://127.0.0.1:9180'
    const right = await clientScript(local, 'process.env.LUMO_GUARD_SECRET')
    assert.deepEqual(await inApp(cluster, POD, right), 'https://docs.example.com')
    const wrong = await clientScript(local, `'another-value-of-some-length'`)
    assert.deepEqual(await inApp(cluster, POD, wrong), [401, 'invalid_client'])
    const proof = `readFileSync('/var/run/secrets/lumoauth.dev/proof/token', 'utf8').trim()`
    const onNode = await clientScript(`https://${NODE_BROKER}:9180`, proof)
    assert.deepEqual(await inApp(cluster, 'hello-node', onNode), 'https://docs.example.com')
  },
}
