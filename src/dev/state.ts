import { createHash, createPrivateKey, type KeyObject } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { Random } from '../platform/random.ts'
import { newClusterKey, type LocalPod } from './cluster.ts'

/** What `lumo-broker dev` keeps between runs, each in a file of its folder. */
export interface DevState {
  readonly storeFile: string
  readonly keyEncryptionFile: string
  readonly policyFile: string
  readonly rolesFile: string
  readonly proofFolder: string
  readonly clientSecretFile: string
  /** Of the demo user. */
  readonly password: string
  /** What stands for a client secret on the broker's drop-in routes. */
  readonly guardFile: string
  /** `sha256:` and the digest, as the configuration wants it. */
  readonly clientSecretHash: string
  readonly clusterKey: KeyObject
  readonly pod: LocalPod
}

/**
 * Reads the state, and makes what is not there yet. The proof is of one authority, so it has a folder for its port: two runs
 * that share the rest do not take it from each other.
 * @throws OperatorFault when the folder cannot be used
 */
export async function openState(folder: string, port: number, random: Random): Promise<DevState> {
  const at = (name: string): string => join(folder, name)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const secret = await keep(at('client-secret'), () => random.bytes(32).toString('base64url'))
    const password = await keep(at('demo-password'), () => random.bytes(12).toString('base64url'))
    await keep(at('guard'), () => random.bytes(32).toString('base64url'))
    await keep(at('key-encryption'), () => random.bytes(32).toString('base64'))
    const clusterKey = await keep(at('cluster-key.pem'), () =>
      newClusterKey().export({ type: 'pkcs8', format: 'pem' }),
    )
    const pod = await keep(at('pod.json'), () => JSON.stringify(newPod(random), null, 2))
    await keep(at('policy.yaml'), () => firstPolicy)
    await keep(at('roles.yaml'), () => firstRoles)
    return {
      storeFile: at('authority.sqlite'),
      keyEncryptionFile: at('key-encryption'),
      policyFile: at('policy.yaml'),
      rolesFile: at('roles.yaml'),
      proofFolder: at(join('proof', String(port))),
      clientSecretFile: at('client-secret'),
      password,
      guardFile: at('guard'),
      clientSecretHash: `sha256:${createHash('sha256').update(secret).digest('base64url')}`,
      clusterKey: createPrivateKey(clusterKey),
      pod: JSON.parse(pod) as LocalPod,
    }
  } catch (error) {
    if (error instanceof OperatorFault) throw error
    const reason = (error as NodeJS.ErrnoException).code ?? 'it holds something unexpected'
    throw new OperatorFault(`the folder ${folder} cannot be used for the state (${reason})`)
  }
}

/** The content of a file; the first time, that of a new one which nobody else may read. */
async function keep(file: string, make: () => string): Promise<string> {
  try {
    const text = (await readFile(file, 'utf8')).trim()
    if (text === '') throw new OperatorFault(`${file} is empty: delete it to have a new one made`)
    return text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const text = make()
    await writeFile(file, `${text.trimEnd()}\n`, { mode: 0o600, flag: 'wx' })
    return text.trim()
  }
}

function newPod(random: Random): LocalPod {
  return {
    namespace: 'default',
    serviceAccount: { name: 'hello-agent', uid: random.uuid() },
    pod: { name: 'hello-agent-0', uid: random.uuid() },
    node: { name: 'laptop', uid: random.uuid() },
  }
}

const firstRoles = `# Who may do what, as the permission checks answer it. Taken up within seconds, as the policy is.
permissions:
  - { slug: document.view, description: See documents. }
roles:
  - name: reader
    permissions: [document.view]
    clients: [reports]
    agents: [hello-agent]
`

const firstPolicy = `# Who may become what. Change it while the program runs: it is taken up within seconds.
agents:
  - name: hello-agent
    proof: { provider: local-cluster, namespace: default, serviceAccount: hello-agent }
    grants:
      - scopes: [agent:self] # a request that names no audience
      - target: https://docs.example.com
        scopes: [read:documents, write:documents]
`
