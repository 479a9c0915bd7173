import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { startWebhook } from '../../src/compose/webhook.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemFiles } from '../../src/platform/files.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { FakeLog } from '../fakes/log.ts'
import { selfSigned } from '../fakes/self_signed.ts'

const document = (certificates: object) => ({
  roles: ['webhook'],
  operations: { listen: '127.0.0.1:0' },
  webhook: {
    listen: '127.0.0.1:0',
    authority: { url: 'https://auth.example', tenant: 'acme-corp' },
    proofAudience: 'https://auth.example/t/acme-corp/api/v1',
    sidecar: { image: 'registry.example/lumo-broker:1.0.0' },
    certificates,
    drainDelay: 300,
  },
})

const own = {
  namespace: 'lumo-system',
  caSecret: 'lumo-ca',
  lease: 'lumo-webhook',
  leaves: [{ secret: 'lumo-webhook-tls', dnsNames: ['lumo-webhook'], own: true }],
  webhookConfigurations: ['lumo-webhook'],
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-webhook-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

test('a webhook that waits for its certificates ends as soon as it is asked to', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'config.json')
  await writeFile(file, JSON.stringify(document({ own })))
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const waits = Promise.withResolvers<void>()
  let stdout = ''
  const running = runCommand({
    arguments: ['run', '--config', file],
    environment: {},
    workingFolder: folder,
    stdout: {
      isTTY: false,
      write: (text) => {
        stdout += text
        // No test runs in a cluster: there is no API server to be asked.
        if (stdout.includes('certificates cannot be kept')) waits.resolve()
      },
    },
    stderr: { write: () => {} },
    readInput: () => Promise.resolve(Buffer.alloc(0)),
    asked,
  })
  await waits.promise
  ask()
  // The delay of one that serves would be longer than a test may take.
  expect(await running).toBe(0)
  expect(stdout).toContain('stopping')
  expect(stdout).not.toContain('"webhook","address"')
})

test('a webhook with certificates of somebody else is ready when it serves', async () => {
  const folder = await makeFolder()
  const pair = await selfSigned({ name: 'lumo-webhook' })
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  await writeFile(certFile, pair.cert)
  await writeFile(keyFile, pair.key)
  const files = { tls: { certFile, keyFile }, caFile: certFile }
  const { webhook } = resolveConfig(document({ files }), {})
  if (!webhook) throw new Error('no webhook')
  const running = await startWebhook(
    webhook,
    {
      clock: systemClock,
      random: systemRandom,
      files: systemFiles,
      http: () => Promise.reject(new Error('nobody is asked')),
      log: new FakeLog(),
      metrics: new PrometheusMetrics(),
    },
    new Promise(() => {}),
  )
  expect([running.addresses.length, running.isReady()]).toEqual([1, true])
  await running.stop(0)
})
