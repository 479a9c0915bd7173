import { setTimeout as pause } from 'node:timers/promises'
import { Callers, type Heard } from './callers.ts'
import type { FaultCase, Sees, Step } from './case.ts'
import { make } from './change.ts'
import { brokenInvariants } from './invariants.ts'
import { answeredIn, expectationsMissed, type AnsweredIn } from './expectations.ts'
import type { Ground } from './ground.ts'
import { openWorld, type World } from './world.ts'

/** What a case was seen to do. */
export interface Observed {
  readonly case: FaultCase
  readonly heard: readonly Heard[]
  /** When each step had begun, and when the last one ended; milliseconds of the machine. */
  readonly stepsAt: readonly number[]
  /** Requests to the authority while the fault lasted. */
  readonly calls: number
  readonly servedStale: number
  /** What the broker's log names as the reason. */
  readonly told: ReadonlySet<string>
  /** Whether the token that was held first is no longer served at the end. */
  readonly isRenewed: boolean
}

export interface Report {
  readonly observed: Observed
  /** Empty: all is as it should be. */
  readonly problems: readonly string[]
}

/** Generous: what does not come within it does not come. */
const PATIENCE_MS = 45_000
const LOOK_MS = 25
/** More than the longest back-off. */
const BEYOND_BACK_OFF_MS = 61_000
const DEFAULT_LIFETIME = 3_600

/** Runs one case in a world of its own. */
export async function runCase(given: FaultCase, ground: Ground): Promise<Report> {
  const { shape, lifetime = DEFAULT_LIFETIME, byName = false } = given
  const world = await openWorld({ shape, lifetime, byName }, ground)
  const callers = new Callers(world, given.followsProof ?? false)
  try {
    const observed = await observe(given, world, callers)
    const problems = [...expectationsMissed(observed), ...(await brokenInvariants(observed, world))]
    return { observed, problems }
  } finally {
    await callers.stop()
    await world.close()
  }
}

async function observe(given: FaultCase, world: World, callers: Callers): Promise<Observed> {
  const { steps, endsAt = steps.length } = given
  // Before the first step nothing is wrong.
  callers.step = -1
  await callers.startHolders(given.holders ?? 2)
  const stepsAt: number[] = []
  const before = world.calls()
  let calls = 0
  for (const [index, step] of steps.entries()) {
    if (index === endsAt) calls = world.calls() - before
    // Whatever is asked or answered while the change is being made may meet either state.
    callers.step = index - 0.5
    await make(step.change, world)
    callers.step = index
    stepsAt.push(performance.now())
    if (step.newcomers) callers.startNewcomers()
    await lived(step, index, callers.heard)
  }
  if (endsAt === steps.length) calls = world.calls() - before
  const isRenewed = given.renewed === true && (await renewed(callers.heard, world))
  stepsAt.push(performance.now())
  await callers.stop()
  return {
    case: given,
    heard: callers.heard,
    stepsAt,
    calls,
    servedStale: await staleCount(world),
    told: toldBy(world),
    isRenewed,
  }
}

/** Until the step has lasted, and everybody saw what they should; or it is clear that they will not. */
async function lived(step: Step, index: number, heard: readonly Heard[]): Promise<void> {
  const began = performance.now()
  for (;;) {
    await pause(LOOK_MS)
    const lasted = performance.now() - began
    const all =
      hasAll(step.holders, answeredIn(index, 'holder', heard)) &&
      hasAll(step.newcomers ?? [], answeredIn(index, 'newcomer', heard))
    if (lasted >= step.lasts * 1000 && (all || lasted > PATIENCE_MS)) return
  }
}

function hasAll(sees: Sees, { within, ended }: AnsweredIn): boolean {
  return 'to' in sees ? ended.has(sees.to) : sees.every((outcome) => within.has(outcome))
}

/** Whether another token takes the place of the first, once no back-off is in its way. */
async function renewed(heard: readonly Heard[], world: World): Promise<boolean> {
  const first = heard.find(({ by }) => by === 'holder')?.token?.text
  const isNew = ({ by, token }: Heard) => by === 'holder' && token && token.text !== first
  if (heard.some(isNew)) return true
  world.era.advance(BEYOND_BACK_OFF_MS)
  const began = performance.now()
  while (performance.now() - began < PATIENCE_MS) {
    if (heard.some(isNew)) return true
    await pause(LOOK_MS)
  }
  return false
}

async function staleCount(world: World): Promise<number> {
  const text = await world.metrics()
  return Number(/^lumo_served_stale_total (\d+)$/m.exec(text)?.[1] ?? 0)
}

function toldBy(world: World): ReadonlySet<string> {
  const told = world.log.lines.flatMap(({ fields }) => [fields['error'], fields['code']])
  return new Set(told.filter((one) => typeof one === 'string'))
}
