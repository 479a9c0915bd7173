import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { endpointWorld, tokenAt, type EndpointWorld } from './endpoint_world.ts'
import { median } from './median.ts'
import { freePorts, spawnProcess } from './processes.ts'
import { wrkPosts, wrkRefreshes } from './wrk.ts'

const SERVER_CORE = 0
const LOAD_CORE = 1
const ROUNDS = 3
const SECONDS = 3
/** Each run of the load loses those that are under way at its end. */
const FAMILIES = 160
const MEMORY_EXCHANGES = 200_000
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const basic = `Authorization: Basic ${Buffer.from('bench:bench-secret').toString('base64')}`

/** What one grant is held to; none where nothing is asked of it. */
interface Marks {
  readonly floor: number
  readonly reference: number
}

const marks: Readonly<Record<string, Marks>> = {
  RS256: { floor: 0.7, reference: 1.2 },
  ES256: { floor: 0.5, reference: 1.4 },
}

/**
 * The grants of the token endpoint beside the crypto that they cannot do without and beside oidc-provider with the same
 * grants, in paired rounds: the server on one core, the load on the other.
 */
export async function bench(): Promise<void> {
  for (const algorithm of ['RS256', 'ES256']) {
    const world = await endpointWorld(algorithm, SERVER_CORE, FAMILIES)
    const reference = await startReference(algorithm, world)
    try {
      for (const grant of grantsOf(world)) await compare(grant, algorithm, world, reference)
      if (algorithm === 'ES256') await memory(world)
    } finally {
      await reference.stop()
      await world.close()
    }
  }
}

interface GrantLoad {
  readonly name: string
  /** Verifications that it cannot do without. */
  readonly verifications: number
  readonly proofAlgorithm: 'RS256' | 'own'
  /** The form, made for one server; undefined for refreshes, which have another each time. */
  readonly form: ((url: string) => Promise<string>) | undefined
  readonly hasMarks: boolean
}

function grantsOf(world: EndpointWorld): readonly GrantLoad[] {
  const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString()
  return [
    {
      name: 'client_credentials',
      verifications: 0,
      proofAlgorithm: 'own',
      form: () => Promise.resolve(form({ grant_type: 'client_credentials' })),
      hasMarks: false,
    },
    {
      name: 'refresh',
      verifications: 0,
      proofAlgorithm: 'own',
      form: undefined,
      hasMarks: false,
    },
    {
      name: 'workload exchange',
      verifications: 1,
      proofAlgorithm: 'RS256',
      form: () =>
        Promise.resolve(
          form({
            grant_type: EXCHANGE,
            subject_token: world.proof,
            subject_token_type: JWT,
          }),
        ),
      hasMarks: true,
    },
    {
      name: 'delegation',
      verifications: 2,
      proofAlgorithm: 'own',
      form: async (url) => {
        const ours = url === world.url
        return form({
          grant_type: EXCHANGE,
          subject_token: await tokenAt(
            url,
            ours ? 'front' : 'bench',
            ours ? { audience: 'bench' } : {},
          ),
          subject_token_type: ACCESS_TOKEN,
          actor_token: await tokenAt(url, 'bench', {}),
          actor_token_type: ACCESS_TOKEN,
        })
      },
      hasMarks: false,
    },
  ]
}

interface Reference {
  readonly url: string
  readonly refreshTokens: readonly string[]
  stop(): Promise<void>
}

async function startReference(algorithm: string, world: EndpointWorld): Promise<Reference> {
  const port = await freePorts(1)
  const started = spawnProcess([process.execPath, 'bench/servers/oidc_provider.mjs'], {
    core: SERVER_CORE,
    env: {
      PORT: String(port),
      ALGORITHM: algorithm,
      CLUSTER_ISSUER: world.clusterIssuer,
      CLUSTER_JWKS: JSON.stringify(world.clusterJwks),
      AUDIENCE: world.proofAudience,
      FAMILIES: String(FAMILIES),
      NODE_ENV: 'production',
    },
  })
  const tokens = await new Promise<readonly string[]>((resolve) => {
    let families: readonly string[] = []
    createInterface({ input: started.process.stdout }).on('line', (line) => {
      if (line.startsWith('[')) families = JSON.parse(line) as readonly string[]
      if (line === 'ready') resolve(families)
    })
  })
  return {
    url: `http://127.0.0.1:${String(port)}/token`,
    refreshTokens: tokens,
    stop: () => started.stop(),
  }
}

async function compare(
  grant: GrantLoad,
  algorithm: string,
  world: EndpointWorld,
  reference: Reference,
): Promise<void> {
  const floor = await startFloor(grant, algorithm, world)
  const ours = await loadOf(grant, world)
  const theirs = await loadOf(grant, reference)
  try {
    await ours(1)
    await theirs(1)
    await floor.measure(1)
    const rounds: { readonly ours: number; readonly theirs: number; readonly floor: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        ours: await ours(SECONDS),
        theirs: await theirs(SECONDS),
        floor: await floor.measure(SECONDS - 1),
      })
    }
    const ofFloor = median(rounds.map((one) => one.ours / one.floor))
    const ofReference = median(rounds.map((one) => one.ours / one.theirs))
    const middle = (name: 'ours' | 'theirs' | 'floor') =>
      median(rounds.map((one) => one[name])).toFixed(0)
    print(
      `${algorithm} ${grant.name.padEnd(18)} ${middle('ours')}/s   floor ${middle('floor')}/s   oidc-provider ${middle('theirs')}/s   of floor ${ofFloor.toFixed(2)}   times oidc-provider ${ofReference.toFixed(2)}${verdict(grant, algorithm, ofFloor, ofReference)}`,
    )
  } finally {
    floor.stop()
  }
}

function verdict(grant: GrantLoad, algorithm: string, floor: number, reference: number): string {
  const wanted = marks[algorithm]
  if (!grant.hasMarks || !wanted) return ''
  const say = (name: string, got: number, mark: number): string =>
    `   ${name} mark ${String(mark)} ${got >= mark ? 'met' : 'MISSED'}`
  return say('floor', floor, wanted.floor) + say('oidc-provider', reference, wanted.reference)
}

/** A load on one server; answers with requests per second. */
async function loadOf(
  grant: GrantLoad,
  { url, refreshTokens }: { readonly url: string; readonly refreshTokens: readonly string[] },
): Promise<(seconds: number) => Promise<number>> {
  // Families go on where the last round left them: the load hands them from run to run.
  if (!grant.form) return wrkRefreshes(url, { core: LOAD_CORE, headers: [basic] }, refreshTokens)
  const body = await grant.form(url)
  // The proof stands in for a client at ours; the reference knows no grant without one.
  const headers = grant.name === 'workload exchange' && url.includes('/t/') ? [] : [basic]
  return (seconds) => wrkPosts(url, { seconds, core: LOAD_CORE, headers, body })
}

interface Floor {
  measure(seconds: number): Promise<number>
  stop(): void
}

async function startFloor(
  { verifications, proofAlgorithm }: GrantLoad,
  algorithm: string,
  world: EndpointWorld,
): Promise<Floor> {
  const [, proofClaims = ''] = world.proof.split('.')
  const [, tokenClaims = ''] = (await tokenAt(world.url, 'bench', {})).split('.')
  const decode = (part: string) => Buffer.from(part, 'base64url').toString('utf8')
  const child = spawn(
    'taskset',
    ['-c', String(SERVER_CORE), process.execPath, 'bench/servers/floor.mjs'],
    {
      env: {
        ...process.env,
        ALGORITHM: algorithm,
        PROOF_ALGORITHM: proofAlgorithm === 'own' ? algorithm : proofAlgorithm,
        VERIFICATIONS: String(verifications),
        TOKEN_CLAIMS: decode(tokenClaims),
        PROOF_CLAIMS: proofAlgorithm === 'own' ? decode(tokenClaims) : decode(proofClaims),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  return {
    measure: async (seconds) => {
      const answered = once(lines, 'line')
      child.stdin.write(`${String(seconds)}\n`)
      const [line] = (await answered) as [string]
      return Number(line)
    },
    stop: () => {
      child.kill()
    },
  }
}

/** The stateless grants leave nothing behind but audit and counters: memory after many is what it was after some. */
async function memory(world: EndpointWorld): Promise<void> {
  const grant = grantsOf(world).find(({ name }) => name === 'workload exchange')
  const body = (await grant?.form?.(world.url)) ?? ''
  const load = (seconds: number) =>
    wrkPosts(world.url, { seconds, core: LOAD_CORE, headers: [], body })
  const pid = world.authority.process.pid ?? 0
  const samples: string[] = []
  let done = 0
  let next = 0
  while (done < MEMORY_EXCHANGES) {
    const seconds = 5
    done += (await load(seconds)) * seconds
    if (done >= next) {
      samples.push(`${Math.round(done / 1000).toString()}k: ${residentMb(pid).toFixed(0)} MB`)
      next += MEMORY_EXCHANGES / 5
    }
  }
  print(`resident memory after so many exchanges   ${samples.join('   ')}`)
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
