import { spawnSync } from 'node:child_process'
import { memoryOf, showMemory } from './broker/process_figures.ts'
import { Report } from './broker/report.ts'
import { LOAD_CORE, readSettings } from './broker/settings.ts'
import { median } from './median.ts'
import { askAgain, quantile } from './webhook/ask.ts'
import { reviews, type Review } from './webhook/reviews.ts'
import { makeWebhookWorld, type WebhookWorld } from './webhook/world.ts'

const MARKS = { p99: 3, growth: 1.1 }
const ROUNDS = 7
const ADMISSIONS = 1_000
const REST_MS = 3_000

/**
 * `npm run bench -- webhook [--rounds N]`: an admission beside a bare Fastify route that parses and echoes the same body, over
 * the same TLS, in paired rounds; then memory over thousands of admissions.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { settings } = readSettings(args)
  spawnSync('taskset', ['-cp', String(LOAD_CORE), String(process.pid)])
  const report = new Report()
  const world = await makeWebhookWorld()
  try {
    for (const review of reviews) await latency(world, review, settings.rounds ?? ROUNDS, report)
    await memory(world, report)
  } finally {
    await world.close()
  }
  report.summary()
}

interface Round {
  readonly p50: number
  readonly p99: number
}

async function latency(
  { webhook, bare, ca }: WebhookWorld,
  { name, body, times }: Review,
  rounds: number,
  report: Report,
): Promise<void> {
  const run = async (side: typeof webhook): Promise<Round> => {
    const took = await askAgain(side, { body, times, ca })
    return { p50: quantile(took, 0.5), p99: quantile(took, 0.99) }
  }
  await run(bare)
  await run(webhook)
  const all: { readonly webhook: Round; readonly bare: Round }[] = []
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await run(bare)
      all.push({ bare: first, webhook: await run(webhook) })
    } else {
      const first = await run(webhook)
      all.push({ webhook: first, bare: await run(bare) })
    }
  }
  const middle = (side: 'webhook' | 'bare', member: keyof Round): string =>
    median(all.map((one) => one[side][member])).toFixed(2)
  const ratio = median(all.map((one) => one.webhook.p99 / one.bare.p99))
  report.line(
    `${name.padEnd(16)} (${(body.byteLength / 1024).toFixed(0)} KiB) webhook p50 ${middle('webhook', 'p50')} p99 ${middle('webhook', 'p99')} ms, bare p50 ${middle('bare', 'p50')} p99 ${middle('bare', 'p99')} ms   p99 ratio ${report.atMost(`p99, ${name}`, ratio, MARKS.p99)}`,
  )
}

/** The same after each thousand admissions: nothing of them stays. */
async function memory({ webhook, ca }: WebhookWorld, report: Report): Promise<void> {
  const [, large] = reviews
  if (!large) throw new Error('there is no large pod')
  const held: number[] = []
  for (let thousand = 0; thousand < 5; thousand++) {
    await askAgain(webhook, { body: large.body, times: ADMISSIONS, ca })
    await new Promise((wake) => setTimeout(wake, REST_MS))
    const now = memoryOf(webhook.pid)
    held.push(now.anonymousMb)
    report.line(
      `after ${String((thousand + 1) * ADMISSIONS)} admissions of a ${large.name}: ${showMemory(now)}`,
    )
  }
  const [first = Number.NaN] = held
  report.line(
    `the last beside the first: ${report.atMost('memory after 4 000 admissions more', (held.at(-1) ?? Number.NaN) / first, MARKS.growth)}`,
  )
}
