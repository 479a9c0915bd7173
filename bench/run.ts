import { spawnSync } from 'node:child_process'

interface Bench {
  /** The arguments after the name. */
  bench(args: readonly string[]): Promise<void>
}

/**
 * `npm run bench -- NAME`: measures the built output beside a reference, in one run on one machine. Machines differ and are
 * shared, so the ratios count and the absolutes do not.
 */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  authz: () => import('./authz.ts'),
  sign_in: () => import('./sign_in.ts'),
  broker: () => import('./broker.ts'),
  proxy: () => import('./proxy.ts'),
  endpoint: () => import('./endpoint.ts'),
  exchange: () => import('./exchange.ts'),
  verify: () => import('./verify.ts'),
  sidecar: () => import('./sidecar.ts'),
  webhook: () => import('./webhook.ts'),
}
/** Those that need no wrk. */
const alone: ReadonlySet<string> = new Set(['verify', 'sidecar', 'webhook'])

const [name = '', ...args] = process.argv.slice(2)
const load = Object.hasOwn(benches, name) ? benches[name] : undefined
if (!load) {
  process.stderr.write(`npm run bench -- ${Object.keys(benches).join(' | ')}\n`)
  process.exitCode = 2
} else if (!alone.has(name) && spawnSync('wrk', ['-v']).error) {
  process.stderr.write(
    'The benches load servers with wrk, which is not installed (Debian: apt-get install wrk).\n',
  )
  process.exitCode = 1
} else {
  await (await load()).bench(args)
}
