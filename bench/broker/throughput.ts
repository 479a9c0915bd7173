import { writeFile } from 'node:fs/promises'
import { compare, type Asking, type Comparison } from './compare.ts'
import { showOthers } from './process_figures.ts'
import type { Report } from './report.ts'
import type { Settings } from './settings.ts'
import { NO_RATE_LIMIT, type Target, type World } from './world.ts'

const MARKS = { sidecar: 0.85, node: 0.65 }
const PODS = 50
export const QUERY = '?audience=https://docs.example.com'
export const GUARD = 'Lumo-Broker: true'

/** `/v1/token` from the cache beside a bare Fastify route with the same URL, headers and bytes. */
export async function throughput(world: World, report: Report, settings: Settings): Promise<void> {
  const pace = { rounds: settings.rounds ?? 5, seconds: settings.seconds ?? 2 }
  const { tell, pairOf } = { tell: tellerOf(report), pairOf: pairsOf(world) }

  const sidecar = await pairOf('sidecar', false, { query: QUERY, headers: [GUARD] })
  const ofSidecar = await sidecar.compare(pace)
  tell('sidecar', ofSidecar, report.atLeast('throughput, sidecar', ofSidecar.ratio, MARKS.sidecar))

  const bearer = [GUARD, `Authorization: Bearer ${await world.pods.token(1)}`]
  const node = await pairOf('node', false, { query: QUERY, headers: bearer })
  const ofNode = await node.compare(pace)
  tell('node, one pod', ofNode, report.atLeast('throughput, node', ofNode.ratio, MARKS.node))

  const script = await podsInTurn(world)
  const ofPods = await node.compare({ ...pace, rounds: Math.min(pace.rounds, 3) }, script)
  tell(`node, ${String(PODS)} pods in turn`, ofPods, `${ofPods.ratio.toFixed(3)}, no mark`)
  await node.stop()

  const overTls = await pairOf('node', true, { query: QUERY, headers: bearer })
  const ofTls = await overTls.compare({ ...pace, rounds: Math.min(pace.rounds, 3) })
  tell('node, one pod, TLS', ofTls, `${ofTls.ratio.toFixed(3)}, no mark`)
  await overTls.stop()
}

/** A broker and a bare route that answers as it does. */
interface Pair {
  compare(
    pace: { readonly rounds: number; readonly seconds: number },
    script?: string,
  ): Promise<Comparison>
  stop(): Promise<void>
}

function pairsOf(world: World) {
  return async (shape: 'sidecar' | 'node', tls: boolean, asking: Asking): Promise<Pair> => {
    const { broker, bare } = await brokerAndBare(world, { shape, tls }, asking)
    const stop = async (): Promise<void> => {
      await broker.stop()
      await bare.stop()
    }
    return {
      stop,
      compare: (pace, script) =>
        compare(
          broker,
          bare,
          script === undefined ? asking : { query: asking.query, headers: [], script },
          pace,
        ),
    }
  }
}

/** Starts a broker whose cache holds what is asked for, and a bare route with the same bytes. */
export async function brokerAndBare(
  world: World,
  { shape, tls }: { readonly shape: 'sidecar' | 'node'; readonly tls: boolean },
  { query, headers }: Asking,
): Promise<{ readonly broker: Target; readonly bare: Target }> {
  const broker = await world.broker({ shape, tls, settings: NO_RATE_LIMIT })
  const body = await world.ask(`${broker.origin}/v1/token${query}`, headersOf(headers))
  return { broker, bare: await world.bare('bare_fastify', { body, tls }) }
}

export function headersOf(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(': ')
      return [line.slice(0, at), line.slice(at + 2)]
    }),
  )
}

/** A program for wrk: each request with the token of the next pod. */
async function podsInTurn(world: World): Promise<string> {
  const tokens = await Promise.all(
    Array.from({ length: PODS }, (_, pod) => world.pods.token(100 + pod)),
  )
  const file = world.file('pods.lua')
  const script = `local tokens = {${tokens.map((token) => JSON.stringify(token)).join(',')}}
local requests = {}
local turn = 0
function init()
  for index, token in ipairs(tokens) do
    requests[index] = wrk.format("GET", nil, {
      ["Host"] = wrk.headers["Host"],
      ["Lumo-Broker"] = "true",
      ["Authorization"] = "Bearer " .. token,
    })
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
`
  await writeFile(file, script)
  return file
}

function tellerOf(report: Report) {
  return (name: string, { broker, bare, cpuRatio }: Comparison, verdict: string): void => {
    const others = Math.max(broker.others, bare.others)
    report.line(
      `${name.padEnd(22)} broker ${broker.perSecond.toFixed(0)}/s ${broker.cpuMicroseconds.toFixed(1)} us, bare ${bare.perSecond.toFixed(0)}/s ${bare.cpuMicroseconds.toFixed(1)} us of processor a request (${cpuRatio.toFixed(3)})   requests ratio ${verdict}${showOthers(others)}`,
    )
  }
}
