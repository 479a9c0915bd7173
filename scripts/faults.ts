import { faultCases } from '../test/faults/cases/all.ts'
import type { FaultCase } from '../test/faults/case.ts'
import { prepareGround, type Ground } from '../test/faults/ground.ts'
import { tableOf, titleOf } from '../test/faults/report.ts'
import { runCase, type Report } from '../test/faults/run_case.ts'

/** `npm run faults`: the fault table. Cases run beside one another, each in a world of its own. */
const AT_ONCE = 16

interface Result {
  readonly title: string
  readonly report: Report | undefined
  readonly problems: readonly string[]
}

async function resultOf(given: FaultCase, ground: Ground): Promise<Result> {
  const title = titleOf(given)
  try {
    const report = await runCase(given, ground)
    return { title, report, problems: report.problems }
  } catch (error) {
    return { title, report: undefined, problems: [String(error)] }
  }
}

async function runAll(cases: readonly FaultCase[]): Promise<readonly Result[]> {
  const ground = await prepareGround()
  const results: Result[] = []
  const waiting = [...cases.entries()]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [place, given] = next
      const result = await resultOf(given, ground)
      results[place] = result
      const verdict = result.problems.length === 0 ? 'ok    ' : 'FAILED'
      process.stderr.write(`${verdict} ${result.title}\n`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return results
}

const results = await runAll(faultCases)
const failed = results.filter(({ problems }) => problems.length > 0)
process.stdout.write(`${tableOf(results.flatMap(({ report }) => report ?? []))}\n\n`)
for (const { title, problems } of failed) {
  process.stdout.write(`${title}:\n${problems.map((problem) => `  ${problem}\n`).join('')}`)
}
const passed = results.length - failed.length
process.stdout.write(`${String(passed)} passed, ${String(failed.length)} failed\n`)
process.exitCode = failed.length === 0 ? 0 : 1
