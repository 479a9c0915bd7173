import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { issuerOf } from '../../src/config/authority.ts'
import { freePorts, start, type Started } from '../processes.ts'
import { programFile } from '../program.ts'
import { CLUSTER_ISSUER, makeProof } from '../proof.ts'

const TENANT = 'acme-corp'

/** An authority that runs, and the configuration of a sidecar that has its proof and may ask it. */
export interface StartWorld {
  readonly brokerCommand: readonly string[]
  readonly brokerUrl: string
  close(): Promise<void>
}

/** Sets the built program up as in a cluster: the authority in one process, the sidecar's configuration for another. */
export async function makeStartWorld(authorityCore: number): Promise<StartWorld> {
  const program = [process.execPath, programFile(), 'run', '--config']
  const folder = await mkdtemp(join(tmpdir(), 'lumo-bench-'))
  const at = (name: string): string => join(folder, name)
  const first = await freePorts(4)
  const origin = `http://127.0.0.1:${String(first)}`
  const { proof, jwks } = await makeProof(issuerOf(origin, TENANT))
  await writeFile(at('token'), proof)
  await writeFile(at('key-encryption'), randomBytes(32).toString('base64'))
  await writeFile(at('policy.yaml'), stringify(policy))
  await writeFile(at('authority.yaml'), stringify(authorityConfig({ at, first, origin, jwks })))
  await writeFile(at('broker.yaml'), stringify(brokerConfig({ at, first, origin })))
  const authority: Started = await start(
    [...program, at('authority.yaml')],
    (line) => line.includes('operations'),
    {
      core: authorityCore,
    },
  )
  return {
    brokerCommand: [...program, at('broker.yaml')],
    brokerUrl: `http://127.0.0.1:${String(first + 2)}/v1/token`,
    close: async () => {
      await authority.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Place {
  readonly at: (name: string) => string
  readonly first: number
  readonly origin: string
}

const policy = {
  agents: [
    {
      name: 'bench',
      proof: { provider: 'bench', namespace: 'bench', serviceAccount: 'bench' },
      grants: [
        { scopes: ['agent:self'] },
        { target: 'https://docs.example.com', scopes: ['read:documents', 'write:documents'] },
      ],
    },
  ],
}

function authorityConfig({ at, first, origin, jwks }: Place & { readonly jwks: object }) {
  return {
    roles: ['authority'],
    log: { level: 'info', format: 'json' },
    operations: { listen: `127.0.0.1:${String(first + 1)}` },
    authority: {
      listen: `127.0.0.1:${String(first)}`,
      origin,
      store: { file: at('authority.sqlite') },
      keyEncryptionFile: at('key-encryption'),
      tenants: [
        {
          slug: TENANT,
          policy: at('policy.yaml'),
          providers: [
            {
              name: 'bench',
              kind: 'kubernetes',
              issuers: [CLUSTER_ISSUER],
              keys: { inline: jwks },
            },
          ],
        },
      ],
    },
  }
}

/** The rate limit is checked on every request; it is only set where a bench does not meet it. */
function brokerConfig({ at, first, origin }: Place) {
  return {
    roles: ['broker'],
    log: { level: 'info', format: 'json' },
    operations: { listen: `127.0.0.1:${String(first + 3)}` },
    broker: {
      listen: [`127.0.0.1:${String(first + 2)}`],
      authority: { url: origin, tenant: TENANT },
      proof: { file: at('token') },
      rateLimit: { perSecond: 1_000_000, burst: 1_000_000 },
    },
  }
}
