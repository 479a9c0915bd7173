import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { issuerOf } from '../../src/config/authority.ts'
import { makeCa } from '../../test/fakes/certificates.ts'
import { freePorts, start, type Started } from '../processes.ts'
import { programFile } from '../program.ts'
import { CLUSTER_ISSUER } from '../proof.ts'
import { ask } from './ask.ts'
import { makePods, NODE_NAME, type Pods } from './pods.ts'
import { LOAD_CORE, SERVER_CORE } from './settings.ts'

const TENANT = 'acme-corp'
/**
 * As the image starts it in a container whose memory is limited: of a limit up to 512Mi Node makes a heap of 262 MB at most.
 * `BENCH_FLAGS` tries others.
 */
function imageFlags(): readonly string[] {
  return (process.env['BENCH_FLAGS'] ?? '--max-semi-space-size=1 --max-heap-size=262').split(' ')
}
const IMAGE_ENV = { MALLOC_ARENA_MAX: '1' }
/** Checked on every request, and never met. */
export const NO_RATE_LIMIT = { rateLimit: { perSecond: 1_000_000, burst: 1_000_000 } }

/** A server that is measured, and what to ask it. */
export interface Target {
  readonly origin: string
  readonly pid: number
  stop(): Promise<void>
}

export interface Broker extends Target {
  /** Where it tells its metrics. */
  readonly operations: string
}

interface BareOptions {
  readonly body?: string
  readonly tls?: boolean
  /** Origin that a proxy leads to. */
  readonly upstream?: string
}

interface BrokerOptions {
  readonly shape: 'sidecar' | 'node'
  readonly tls?: boolean
  /** More settings of the section `broker`. */
  readonly settings?: object
}

/** A cluster in small: an authority that is reached over TLS, pods with proofs, and brokers as the image runs them. */
export class World {
  readonly pods: Pods
  readonly #folder: string
  readonly #ports: { readonly authority: number }
  readonly #running: Started[] = []
  #ca = ''

  private constructor(folder: string, authority: number, pods: Pods) {
    this.#folder = folder
    this.#ports = { authority }
    this.pods = pods
  }

  static async make(): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'lumo-bench-'))
    const port = await freePorts(1)
    const world = new World(folder, port, await makePods(issuerOf(originAt(port, true), TENANT)))
    await world.#begin()
    return world
  }

  /** The file of a sidecar's proof. */
  get proofFile(): string {
    return this.file('token')
  }

  /** When the authority was asked for tokens with this lifetime, in milliseconds of the epoch. */
  async arrivals(lifeSeconds: number): Promise<readonly number[]> {
    const url = `${originAt(this.#ports.authority, true)}/arrivals?life=${String(lifeSeconds)}`
    return JSON.parse(await this.ask(url)) as number[]
  }

  /** The body of an answer 200. */
  ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return ask(url, { headers, ca: this.#ca })
  }

  /** A broker on the core of servers, with its first token where it fetches one. */
  async broker({ shape, tls = false, settings = {} }: BrokerOptions): Promise<Broker> {
    const [port, operations] = [await freePorts(1), await freePorts(1)]
    const file = this.file(`broker-${String(port)}.yaml`)
    const config = {
      roles: ['broker'],
      log: { level: 'info', format: 'json' },
      operations: { listen: `127.0.0.1:${String(operations)}` },
      broker: {
        shape,
        listen: [`127.0.0.1:${String(port)}`],
        authority: {
          url: originAt(this.#ports.authority, true),
          tenant: TENANT,
          caFile: this.file('ca.pem'),
        },
        ...(shape === 'sidecar' ? { proof: { file: this.proofFile } } : this.#callers()),
        ...(tls && { tls: { certFile: this.file('cert.pem'), keyFile: this.file('key.pem') } }),
        ...settings,
      },
    }
    await writeFile(file, stringify(config))
    const started = await this.#start(
      [process.execPath, ...imageFlags(), programFile(), 'run', '--config', file],
      (line) => line.includes('operations'),
    )
    return {
      ...targetOf(started, originAt(port, tls)),
      operations: originAt(operations, false),
    }
  }

  /** A process with the same flags that answers these bytes and does nothing else. */
  async bare(
    server: 'bare_fastify' | 'bare_http' | 'bare_proxy',
    { body = '', tls = false, upstream = '' }: BareOptions = {},
  ): Promise<Target> {
    const port = await freePorts(1)
    const started = await this.#start(
      [process.execPath, ...imageFlags(), `bench/servers/${server}.mjs`],
      (line) => line === 'ready',
      {
        PORT: String(port),
        BODY: body,
        UPSTREAM: upstream,
        ...(tls && { CERT: this.file('cert.pem'), KEY: this.file('key.pem') }),
      },
    )
    return targetOf(started, originAt(port, tls))
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map((one) => one.stop()))
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #begin(): Promise<void> {
    const ca = await makeCa('bench')
    const { cert, key } = await ca.issue()
    this.#ca = ca.pem
    await writeFile(this.file('ca.pem'), ca.pem)
    await writeFile(this.file('cert.pem'), cert)
    await writeFile(this.file('key.pem'), key)
    await writeFile(this.proofFile, await this.pods.token(0))
    const authority = await start(
      [process.execPath, 'bench/servers/fake_authority.mjs'],
      (line) => line === 'ready',
      {
        core: LOAD_CORE,
        nice: 10,
        env: {
          PORT: String(this.#ports.authority),
          CERT: this.file('cert.pem'),
          KEY: this.file('key.pem'),
        },
      },
    )
    this.#running.push(authority)
  }

  #callers(): object {
    const provider = {
      name: 'bench',
      kind: 'kubernetes',
      issuers: [CLUSTER_ISSUER],
      keys: { inline: this.pods.jwks },
    }
    return { callers: { nodeName: NODE_NAME, providers: [provider] } }
  }

  async #start(
    command: readonly string[],
    ready: (line: string) => boolean,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Started> {
    const started = await start(command, ready, {
      core: SERVER_CORE,
      env: { ...IMAGE_ENV, NODE_ENV: 'production', ...env },
    })
    this.#running.push(started)
    return started
  }

  /** A file of this world. */
  file(name: string): string {
    return join(this.#folder, name)
  }
}

function originAt(port: number, tls: boolean): string {
  return `${tls ? 'https' : 'http'}://127.0.0.1:${String(port)}`
}

function targetOf(started: Started, origin: string): Target {
  return { origin, pid: started.process.pid ?? 0, stop: () => started.stop() }
}
