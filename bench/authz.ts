import { Report } from './broker/report.ts'
import { readSettings } from './broker/settings.ts'
import { endpointWorld, tokenAt, type EndpointWorld } from './endpoint_world.ts'
import { median } from './median.ts'
import { freePorts, start } from './processes.ts'
import { wrkPosts } from './wrk.ts'

const SERVER_CORE = 0
const LOAD_CORE = 1
const ROUNDS = 5
const SECONDS = 3
const MARK = 0.5
const PERMISSION = 'resource-999.action-9'
const body = JSON.stringify({ permission: PERMISSION })
const answer = JSON.stringify({ allowed: true, permission: PERMISSION })

/**
 * `npm run bench -- authz [--rounds N]`: permission checks with 1 000 roles and 10 000 permissions, beside a bare Fastify route that
 * verifies the same token and answers the same body, in paired rounds: the server on one core, the load on the other.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { settings } = readSettings(args)
  const report = new Report()
  const world = await endpointWorld('RS256', SERVER_CORE, 0)
  const bare = await startBare(world)
  try {
    const token = await tokenAt(world.url, 'bench', {})
    const headers = [`Authorization: Bearer ${token}`]
    const load = (url: string) => (seconds: number) =>
      wrkPosts(url, { seconds, core: LOAD_CORE, headers, body, contentType: 'application/json' })
    const ours = load(new URL('/api/v1/authz/check', world.url).href)
    const theirs = load(bare.url)
    await expectAnswer(new URL('/api/v1/authz/check', world.url).href, token)
    await expectAnswer(bare.url, token)
    await ours(1)
    await theirs(1)
    const rounds: { readonly ours: number; readonly theirs: number }[] = []
    for (let round = 0; round < (settings.rounds ?? ROUNDS); round++) {
      rounds.push({ ours: await ours(SECONDS), theirs: await theirs(SECONDS) })
    }
    const middle = (name: 'ours' | 'theirs'): string =>
      median(rounds.map((one) => one[name])).toFixed(0)
    const ratio = median(rounds.map((one) => one.ours / one.theirs))
    report.line(
      `a check ${middle('ours')}/s, a bare route that verifies ${middle('theirs')}/s: ${report.atLeast('checks beside a bare route', ratio, MARK)}`,
    )
  } finally {
    await bare.stop()
    await world.close()
  }
  report.summary()
}

async function startBare(world: EndpointWorld) {
  const port = String(await freePorts(1))
  const issuer = world.proofAudience
  const command = [process.execPath, 'bench/servers/bare_check.mjs']
  const started = await start(command, (line) => line === 'ready', {
    core: SERVER_CORE,
    env: { PORT: port, BODY: answer, ISSUER: issuer, NODE_ENV: 'production' },
  })
  return { url: `http://127.0.0.1:${port}/check`, stop: () => started.stop() }
}

/** Both say the same, or there is nothing to compare. */
async function expectAnswer(url: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const got = await (await fetch(url, { method: 'POST', headers, body })).text()
  if (got !== answer) throw new Error(`${url} answers ${got}`)
}
