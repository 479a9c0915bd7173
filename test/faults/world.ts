import type { LookupAddress } from 'node:dns'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker, type RunningBroker } from '../../src/compose/broker.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { Resolve } from '../../src/platform/guarded_lookup.ts'
import { nodeHttpClient, type HttpClient } from '../../src/platform/http_client.ts'
import { testSurroundings } from '../fakes/surroundings.ts'
import { AuthorityAround, DOCS, ISSUER, TENANT } from './authority.ts'
import { Era, type MachineClock } from './clocks.ts'
import { ClusterAround } from './cluster.ts'
import { FaultyServer } from './faulty_server.ts'
import type { Ground } from './ground.ts'

export type Shape = 'sidecar' | 'node'

export interface WorldWish {
  readonly shape: Shape
  /** Of a token, in seconds. */
  readonly lifetime: number
  /** Whether the authority is known by a name, which has to be resolved. */
  readonly byName?: boolean
}

/** A broker and an authority, each as a process runs it, and all that can fail between them and around them. */
export interface World {
  readonly wish: WorldWish
  readonly folder: string
  readonly era: Era
  readonly clocks: { readonly broker: MachineClock; readonly authority: MachineClock }
  readonly cluster: ClusterAround
  readonly authority: AuthorityAround
  /** What the broker meets in the authority's place. */
  readonly door: FaultyServer
  readonly ground: Ground
  /** `127.0.0.1:PORT` */
  readonly brokerAt: string
  readonly localPolicyFile: string
  useName(isKnown: boolean): void
  /** Requests to the token endpoint that the broker has begun. */
  calls(): number
  /** The broker's log, as it is now. */
  readonly log: ReturnType<typeof testSurroundings>['log']
  metrics(): Promise<string>
  close(): Promise<void>
}

export const NODE = 'worker-1'

export async function openWorld(wish: WorldWish, ground: Ground): Promise<World> {
  const { certificates } = ground
  const folder = await mkdtemp(join(tmpdir(), 'faults-'))
  const at = (name: string): string => join(folder, name)
  const era = new Era()
  const clocks = { broker: era.machine(), authority: era.machine() }
  await writeFile(at('tls.crt'), certificates.good.cert)
  await writeFile(at('tls.key'), certificates.good.key)
  await writeFile(at('ca.pem'), ground.trusted)
  await writeFile(at('local.yaml'), localPolicyOf(true))

  const now = (): number => Math.floor(era.wall() / 1000)
  const cluster = new ClusterAround(ground.clusterKeys, at('proof'), now)
  const { jwksUrl } = await cluster.open(certificates.good)
  const keys = { jwksUrl, caFile: at('ca.pem') }
  const provider = { name: 'prod', kind: 'kubernetes', issuers: [cluster.issuer], keys }
  const authority = await AuthorityAround.open({
    folder,
    ca: ground.ca,
    tls: { certFile: at('tls.crt'), keyFile: at('tls.key') },
    provider,
    lifetime: wish.lifetime,
    clock: clocks.authority,
  })
  const door = await FaultyServer.start(certificates.good, authority.pass)

  let calls = 0
  let isKnown = true
  const http = httpFor(wish, () => isKnown)
  const surroundings = {
    ...testSurroundings(clocks.broker),
    http: ((request) => {
      if (request.url.pathname.endsWith('/oauth/token')) calls += 1
      return http(request)
    }) satisfies HttpClient,
  }
  const broker = await startWithin(wish, { folder, door, cluster, provider }, surroundings)
  return {
    wish,
    folder,
    era,
    clocks,
    cluster,
    authority,
    door,
    ground,
    brokerAt: broker.addresses[0] ?? '',
    localPolicyFile: at('local.yaml'),
    useName: (known) => {
      isKnown = known
    },
    calls: () => calls,
    log: surroundings.log,
    metrics: () => surroundings.metrics.text(),
    close: async () => {
      await broker.stop(0)
      await door.close()
      await authority.stop()
      await cluster.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function startWithin(
  { shape, byName = false }: WorldWish,
  around: {
    readonly folder: string
    readonly door: FaultyServer
    readonly cluster: ClusterAround
    readonly provider: object
  },
  surroundings: Parameters<typeof startBroker>[2],
): Promise<RunningBroker> {
  const { folder, door, cluster, provider } = around
  const host = byName ? 'localhost' : '127.0.0.1'
  const callers = { providers: [provider], nodeName: NODE }
  const many = 1_000_000
  const { broker } = resolveConfig(
    {
      roles: ['broker'],
      broker: {
        shape,
        listen: ['127.0.0.1:0'],
        authority: {
          url: `https://${host}:${String(door.port)}`,
          tenant: TENANT,
          caFile: join(folder, 'ca.pem'),
        },
        proof: {
          audience: ISSUER,
          ...(shape === 'sidecar' && { file: cluster.proofFile }),
        },
        ...(shape === 'node' && { callers }),
        policy: join(folder, 'local.yaml'),
        limits: { exchangesPerMinute: many, audiencesPerHour: 10_000 },
        terminationMessageFile: join(folder, 'termination-log'),
      },
    },
    {},
  )
  if (!broker) throw new Error('the document has no broker')
  return startBroker(broker, undefined, surroundings)
}

/** A name that cannot be resolved is met by new connections only, so where there is one none is kept. */
function httpFor({ byName = false }: WorldWish, isKnown: () => boolean): HttpClient {
  if (!byName) return nodeHttpClient(systemClock, {})
  const resolve: Resolve = (hostname, _options, callback) => {
    const there: LookupAddress[] = [{ address: '127.0.0.1', family: 4 }]
    if (isKnown()) callback(null, there)
    else callback(Object.assign(new Error(`no ${hostname}`), { code: 'ENOTFOUND' }), [])
  }
  const http = nodeHttpClient(systemClock, {}, resolve)
  return (request) => http({ ...request, mayConnectTo: () => true })
}

/** What the broker lets the workload ask for; narrowed, the targets of its callers are not among it. */
export function localPolicyOf(isWide: boolean): string {
  const allow = isWide ? [{ audience: DOCS }, {}] : [{}]
  return JSON.stringify({ workloads: [{ name: 'research', namespace: 'research', allow }] })
}
