import { spawnSync } from 'node:child_process'
import { request } from 'node:http'
import { compare, type Comparison } from './broker/compare.ts'
import { memoryOf, showOthers } from './broker/process_figures.ts'
import { Report } from './broker/report.ts'
import { LOAD_CORE, readSettings } from './broker/settings.ts'
import { GUARD, headersOf } from './broker/throughput.ts'
import { NO_RATE_LIMIT, World, type Target } from './broker/world.ts'
import { freePorts, start, type Started } from './processes.ts'

const PACE = { rounds: 7, seconds: 2 }
const MARK = 0.85
const GIGABYTE = 1_073_741_824
const FIRST = 268_435_456
/** What the proxy may take while it streams, over what it had before. */
const GROWTH_MB = 32
const PIECE = Buffer.alloc(65_536, 'x')

/**
 * `npm run bench -- proxy [--rounds N] [--seconds N]`: GETs of 1 KB through the proxy that adds tokens, its token in the cache,
 * beside undici proxying bare to the same upstream, in paired rounds: proxies on one core, upstream and load on the other. Then
 * a body of 1 GB each way, and what the proxy's memory grows by.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { settings } = readSettings(args)
  spawnSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)])
  const report = new Report()
  const world = await World.make()
  const upstream = await startUpstream()
  try {
    const proxy = await startProxy(world, upstream.origin)
    const bare = await world.bare('bare_proxy', { upstream: upstream.origin })
    const pace = {
      rounds: settings.rounds ?? PACE.rounds,
      seconds: settings.seconds ?? PACE.seconds,
    }
    tell(await compare(proxy, bare, { query: '', headers: [GUARD] }, pace), report)
    for (const way of ['down', 'up'] as const) await stream(proxy, way, report)
  } finally {
    await upstream.server.stop()
    await world.close()
  }
  report.summary()
}

async function startUpstream(): Promise<{ readonly origin: string; readonly server: Started }> {
  const port = String(await freePorts(1))
  const server = await start(
    [process.execPath, 'bench/servers/proxy_upstream.mjs'],
    (line) => line === 'ready',
    { core: LOAD_CORE, env: { PORT: port, NODE_ENV: 'production' } },
  )
  return { origin: `http://127.0.0.1:${port}`, server }
}

/** A sidecar with one route, and its proxy. */
async function startProxy(world: World, upstream: string): Promise<Target> {
  const listen = `127.0.0.1:${String(await freePorts(1))}`
  const route = {
    name: 'bench',
    path: '/v1',
    upstream: `${upstream}/v1`,
    audience: 'https://docs.example.com',
    methods: ['GET', 'POST'],
    paths: ['/**'],
  }
  const settings = { ...NO_RATE_LIMIT, proxy: { listen: [listen], routes: [route] } }
  const broker = await world.broker({ shape: 'sidecar', settings })
  return { ...broker, origin: `http://${listen}` }
}

function tell({ ratio, cpuRatio, broker, bare }: Comparison, report: Report): void {
  const p99 = broker.p99Ms / bare.p99Ms
  report.line(
    `proxy ${broker.perSecond.toFixed(0)}/s ${broker.cpuMicroseconds.toFixed(1)} us, bare ${bare.perSecond.toFixed(0)}/s ${bare.cpuMicroseconds.toFixed(1)} us of processor a request (${cpuRatio.toFixed(3)})   requests ratio ${report.atLeast('requests through the proxy beside undici bare', ratio, MARK)}${showOthers(Math.max(broker.others, bare.others))}`,
  )
  report.line(
    `p99: proxy ${broker.p99Ms.toFixed(2)} ms, bare ${bare.p99Ms.toFixed(2)} ms, ratio ${p99.toFixed(3)}`,
  )
}

/** One body of 1 GB, and the most that the proxy took meanwhile. A smaller one before it fills the buffers. */
async function stream({ origin, pid }: Target, way: 'down' | 'up', report: Report): Promise<void> {
  const send = way === 'down' ? receive : post
  await send(origin, FIRST)
  const before = memoryOf(pid)
  let [anonymous, resident] = [0, 0]
  const looking = setInterval(() => {
    const now = memoryOf(pid)
    anonymous = Math.max(anonymous, now.anonymousMb - before.anonymousMb)
    resident = Math.max(resident, now.residentMb - before.residentMb)
  }, 50)
  const begun = performance.now()
  await send(origin, GIGABYTE)
  clearInterval(looking)
  const seconds = (performance.now() - begun) / 1000
  report.line(
    `1 GB ${way} in ${seconds.toFixed(1)} s: resident ${resident.toFixed(1)} MB more at most, anonymous ${report.atMost(`anonymous memory while 1 GB goes ${way}`, anonymous, GROWTH_MB, ' MB')}`,
  )
}

function receive(origin: string, bytes: number): Promise<void> {
  return exchange(`${origin}/v1/large?bytes=${String(bytes)}`, 'GET', 0, bytes)
}

function post(origin: string, bytes: number): Promise<void> {
  return exchange(`${origin}/v1/sink`, 'POST', bytes, undefined)
}

/** One request with so many bytes; all the bytes of the answer have to come. */
function exchange(
  url: string,
  method: string,
  bytes: number,
  expected: number | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: headersOf([GUARD]), agent: false })
    outgoing.on('error', reject)
    outgoing.on('response', (incoming) => {
      let got = 0
      incoming.on('data', (chunk: Buffer) => (got += chunk.length))
      incoming.on('error', reject)
      incoming.on('end', () => {
        const isRight = incoming.statusCode === 200 && (expected ?? got) === got
        if (isRight) resolve()
        else reject(new Error(`${url}: ${String(incoming.statusCode)}, ${String(got)} bytes`))
      })
    })
    let left = bytes
    const more = (): void => {
      while (left > 0) {
        left -= PIECE.length
        if (!outgoing.write(PIECE) && left > 0) {
          outgoing.once('drain', more)
          return
        }
      }
      outgoing.end()
    }
    more()
  })
}
