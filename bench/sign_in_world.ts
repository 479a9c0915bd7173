import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Passwords } from '../src/endpoint/sign_in/password.ts'
import { newLocalSub } from '../src/endpoint/users.ts'
import { systemClock, unixSeconds } from '../src/platform/clock.ts'
import { systemRandom } from '../src/platform/random.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { freePorts, start } from './processes.ts'
import { programFile } from './program.ts'

const TENANT = 'acme-corp'
const DOCS = 'https://docs.example.com'
const SCOPE = 'read:documents'
const CALLBACK = 'https://app.example/callback'
const MANY = 10_000_000
/** More than sign in within a second, so that no two who are the same meet. */
const USERS = 50

export interface SignInWorld {
  readonly pid: number
  readonly port: number
  /** Path of the token endpoint, where client `bench` has secret `bench-secret`. */
  readonly tokenPath: string
  /** Path and query of an authorization request. */
  readonly authorizePath: string
  readonly emails: readonly string[]
  readonly password: string
  close(): Promise<void>
}

/** The built authority with a client and some local users, pinned to a core, its audit trail on. */
export async function signInWorld(core: number): Promise<SignInWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-bench-'))
  const at = (name: string): string => join(folder, name)
  const port = await freePorts(2)
  await writeFile(at('key'), randomBytes(32).toString('base64'))
  await writeFile(at('policy.yaml'), 'agents: []')
  await writeFile(at('config.yaml'), JSON.stringify(configOf(at, port)))
  const password = randomBytes(18).toString('base64url')
  const emails = await addUsers(at('store.sqlite'), password)
  // A session of its own: Linux shares a core among sessions before it looks at priorities (sched(7), autogroup), as among
  // containers, and the load would be of the same one.
  const program = [process.execPath, programFile(), 'run', '--config', at('config.yaml')]
  const command = ['setsid', ...program]
  const authority = await start(command, (line) => line.includes('operations'), { core })
  const base = `/t/${TENANT}/api/v1/oauth`
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: 'bench',
    redirect_uri: CALLBACK,
    scope: SCOPE,
    code_challenge: createHash('sha256').update('bench').digest('base64url'),
    code_challenge_method: 'S256',
  })
  return {
    pid: authority.process.pid ?? 0,
    port,
    tokenPath: `${base}/token`,
    authorizePath: `${base}/authorize?${asked.toString()}`,
    emails,
    password,
    close: async () => {
      await authority.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function addUsers(file: string, password: string): Promise<readonly string[]> {
  const store = sqliteStore(file)
  const kept = await new Passwords(systemRandom).hash(password)
  const emails = Array.from({ length: USERS }, (_, nth) => `user-${String(nth)}@example.com`)
  for (const email of emails) {
    await store.addLocalUser({
      tenant: TENANT,
      sub: newLocalSub(systemRandom.uuid()),
      email,
      name: undefined,
      password: kept,
      createdAt: unixSeconds(systemClock),
    })
  }
  await store.close()
  return emails
}

function configOf(at: (name: string) => string, port: number) {
  return {
    roles: ['authority'],
    log: { level: 'info', format: 'json' },
    operations: { listen: `127.0.0.1:${String(port + 1)}` },
    authority: {
      listen: `127.0.0.1:${String(port)}`,
      origin: `http://127.0.0.1:${String(port)}`,
      store: { file: at('store.sqlite') },
      keyEncryptionFile: at('key'),
      limits: { clientPerMinute: MANY, workloadPerMinute: MANY },
      tenants: [
        {
          slug: TENANT,
          algorithm: 'RS256',
          policy: at('policy.yaml'),
          clients: [
            {
              id: 'bench',
              secretHashes: [
                `sha256:${createHash('sha256').update('bench-secret').digest('base64url')}`,
              ],
              grants: [{ scopes: [SCOPE] }, { target: DOCS, scopes: [SCOPE] }],
              grantTypes: ['client_credentials', 'authorization_code'],
              redirectUris: [CALLBACK],
              delegation: { scopes: [SCOPE] },
            },
          ],
        },
      ],
    },
  }
}
