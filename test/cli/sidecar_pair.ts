import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { startApplication } from '../../src/compose/application.ts'
import { loadConfig } from '../../src/config/load.ts'
import { writeVolume } from '../../src/dev/kubelet.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { makeCa } from '../fakes/certificates.ts'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import { runInProcess } from '../fakes/io.ts'
import { freePorts } from '../fakes/ports.ts'
import { openScene } from '../fakes/program.ts'
import { testSurroundings } from '../fakes/surroundings.ts'

export const ISSUER = 'https://auth.example/t/acme-corp/api/v1'
export const SUBJECT = 'system:serviceaccount:research:doc-analyst'

const policy = `agents:
  - name: doc-analyst
    proof: { provider: prod, namespace: research, serviceAccount: doc-analyst }
    grants:
      - scopes: [agent:self]
      - { target: https://docs.example.com, scopes: [read:documents] }
`

/** An authority behind TLS and the sidecar of a pod, as configurations of processes in a folder. */
export async function openPair(onTestFinished: Parameters<typeof openScene>[0]) {
  const scene = await openScene(onTestFinished)
  const { at, folder } = scene
  const ca = await makeCa('Authority CA')
  const { cert, key } = await ca.issue()
  const cluster = new FakeCluster(() => Math.floor(Date.now() / 1000), { audience: ISSUER })
  const first = await freePorts([0, 1, 2, 3])
  const port = (distance: number) => `127.0.0.1:${String(first + distance)}`
  const provider = {
    name: 'prod',
    kind: 'kubernetes',
    issuers: [cluster.issuer],
    keys: { file: at('jwks.json') },
  }
  const authority = {
    listen: port(0),
    origin: 'https://auth.example',
    tls: { certFile: at('tls.crt'), keyFile: at('tls.key') },
    store: { file: at('authority.sqlite') },
    keyEncryptionFile: at('key-encryption'),
    tenants: [{ slug: 'acme-corp', policy: at('policy.yaml'), providers: [provider] }],
  }
  const broker = {
    listen: [port(2)],
    authority: { url: `https://${port(0)}`, tenant: 'acme-corp', caFile: at('ca.pem') },
    proof: { file: at('proof/token'), audience: ISSUER },
  }
  const tokens: string[] = []
  const files = {
    'tls.crt': cert,
    'tls.key': key,
    'ca.pem': ca.pem,
    'key-encryption': randomBytes(32).toString('base64'),
    'jwks.json': JSON.stringify(await cluster.jwks()),
    'policy.yaml': policy,
    'authority.json': JSON.stringify({
      roles: ['authority'],
      operations: { listen: port(1) },
      authority,
    }),
  }
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text)
  const writeProof = async (changes?: TokenChanges) => {
    const token = await cluster.token(changes)
    tokens.push(token)
    await writeVolume(at('proof'), { token }, systemRandom)
  }
  const writeBroker = (changes: object = {}) =>
    writeFile(
      at('lumo.json'),
      JSON.stringify({
        roles: ['broker'],
        operations: { listen: port(3) },
        broker: { ...broker, ...changes },
      }),
    )
  const start = async (file: 'authority.json' | 'lumo.json') => {
    const config = loadConfig(await readFile(at(file), 'utf8'), {})
    const application = await startApplication(config, testSurroundings())
    let stopped: Promise<void> | undefined
    const stop = () => (stopped ??= application.stop())
    onTestFinished(stop)
    return stop
  }
  await writeProof()
  await writeBroker()
  return {
    ...scene,
    port,
    provider,
    writeProof,
    writeBroker,
    start,
    /** Starts both, and waits for a first token. Gives what stops the broker. */
    run: async (...shown: readonly string[]) => {
      await start('authority.json')
      const stop = await start('lumo.json')
      const given = ['wait', '--config', 'lumo.json', '--timeout', '20', ...shown]
      expect(await runInProcess(given, { workingFolder: folder })).toMatchObject({ exitCode: 0 })
      return stop
    },
    /** What doctor prints; never anything of a token. */
    doctor: async (given: readonly string[] = ['--config', 'lumo.json'], environment = {}) => {
      const ran = await runInProcess(['doctor', ...given], { workingFolder: folder, environment })
      expect(ran.stderr).toBe('')
      for (const part of tokens.join('.').split('.')) expect(ran.stdout).not.toContain(part)
      return { ...ran, lines: ran.stdout.trimEnd().split('\n') }
    },
  }
}
