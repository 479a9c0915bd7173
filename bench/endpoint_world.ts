import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { issuerOf } from '../src/config/authority.ts'
import { RefreshTokens } from '../src/endpoint/refresh_token.ts'
import { Seal } from '../src/endpoint/sealing.ts'
import { systemClock, unixSeconds } from '../src/platform/clock.ts'
import { systemRandom } from '../src/platform/random.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { freePorts, start, type Started } from './processes.ts'
import { programFile } from './program.ts'
import { CLUSTER_ISSUER, makeProof } from './proof.ts'

const TENANT = 'acme-corp'
const DOCS = 'https://docs.example.com'
const SCOPE = 'read:documents'
const MANY = 10_000_000

export interface EndpointWorld {
  readonly authority: Started
  readonly url: string
  /** A proof of the platform that lives as long as a bench. */
  readonly proof: string
  readonly proofAudience: string
  readonly clusterIssuer: string
  readonly clusterJwks: object
  /** First refresh tokens of so many families. */
  readonly refreshTokens: readonly string[]
  close(): Promise<void>
}

/** The built authority with a client, an agent and some families of refresh tokens, pinned to a core, its audit trail on. */
export async function endpointWorld(
  algorithm: string,
  core: number,
  families: number,
): Promise<EndpointWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-bench-'))
  const at = (name: string): string => join(folder, name)
  const first = await freePorts(2)
  const origin = `http://127.0.0.1:${String(first)}`
  const proofAudience = issuerOf(origin, TENANT)
  const { proof, jwks } = await makeProof(proofAudience)
  const key = randomBytes(32)
  await writeFile(at('key'), key.toString('base64'))
  await writeFile(at('policy.yaml'), stringify(policy))
  await writeFile(at('roles.json'), JSON.stringify(manyRoles()))
  await writeFile(
    at('config.yaml'),
    JSON.stringify(configOf({ at, first, origin, algorithm, jwks })),
  )
  const command = [process.execPath, programFile(), 'run', '--config', at('config.yaml')]
  const authority = await start(command, (line) => line.includes('operations'), { core })
  return {
    authority,
    url: `${origin}/t/${TENANT}/api/v1/oauth/token`,
    proof,
    proofAudience,
    clusterIssuer: CLUSTER_ISSUER,
    clusterJwks: jwks,
    refreshTokens: await startFamilies(at('store.sqlite'), new Seal(key, systemRandom), families),
    close: async () => {
      await authority.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A token of a client of its own. */
export async function tokenAt(
  url: string,
  client: string,
  more: Readonly<Record<string, string>>,
): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client}:bench-secret`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...more }),
  })
  const { access_token: token } = (await answer.json()) as { access_token?: string }
  if (token === undefined) throw new Error(`no token from ${url}`)
  return token
}

async function startFamilies(file: string, seal: Seal, count: number): Promise<string[]> {
  const store = sqliteStore(file)
  const refreshTokens = new RefreshTokens({
    tenant: TENANT,
    key: seal.derive('refresh tokens'),
    store,
    clock: systemClock,
    random: systemRandom,
  })
  const owner = { clientId: 'bench', sub: 'user', lifetimeSeconds: 86_400 }
  const grant = {
    scope: [SCOPE],
    targets: [DOCS],
    authTime: unixSeconds(systemClock),
    jkt: undefined,
  }
  const tokens: string[] = []
  for (let index = 0; index < count; index++) {
    tokens.push(await refreshTokens.start(systemRandom.uuid(), owner, grant))
  }
  await store.close()
  return tokens
}

/** 1 000 roles with 10 permissions each; the client `bench` has the last. */
function manyRoles() {
  return {
    roles: Array.from({ length: 1_000 }, (_, role) => ({
      name: `role-${String(role)}`,
      permissions: Array.from(
        { length: 10 },
        (_permission, action) => `resource-${String(role)}.action-${String(action)}`,
      ),
      ...(role === 999 && { clients: ['bench'] }),
    })),
  }
}

const policy = {
  agents: [
    {
      name: 'bench-agent',
      proof: { provider: 'bench', namespace: 'bench', serviceAccount: 'bench' },
      grants: [{ scopes: ['agent:self'] }, { target: DOCS, scopes: [SCOPE] }],
    },
  ],
}

interface Place {
  readonly at: (name: string) => string
  readonly first: number
  readonly origin: string
  readonly algorithm: string
  readonly jwks: object
}

function configOf({ at, first, origin, algorithm, jwks }: Place) {
  const client = {
    secretHashes: [`sha256:${createHash('sha256').update('bench-secret').digest('base64url')}`],
    grants: [
      { scopes: [SCOPE] },
      { target: DOCS, scopes: [SCOPE] },
      { target: 'bench', scopes: [SCOPE] },
    ],
  }
  return {
    roles: ['authority'],
    log: { level: 'info', format: 'json' },
    operations: { listen: `127.0.0.1:${String(first + 1)}` },
    authority: {
      listen: `127.0.0.1:${String(first)}`,
      origin,
      store: { file: at('store.sqlite') },
      keyEncryptionFile: at('key'),
      limits: { clientPerMinute: MANY, workloadPerMinute: MANY },
      tenants: [
        {
          slug: TENANT,
          algorithm,
          policy: at('policy.yaml'),
          roles: at('roles.json'),
          providers: [
            {
              name: 'bench',
              kind: 'kubernetes',
              issuers: [CLUSTER_ISSUER],
              keys: { inline: jwks },
            },
          ],
          clients: [
            {
              id: 'bench',
              ...client,
              grantTypes: [
                'client_credentials',
                'refresh_token',
                'token_exchange',
                'authorization_code',
              ],
              redirectUris: ['https://app.example/callback'],
              delegation: { scopes: [SCOPE] },
            },
            { id: 'front', ...client },
          ],
          users: [{ sub: 'user' }],
        },
      ],
    },
  }
}
