import { collectGarbage } from './collect.ts'
import { median } from './median.ts'

/** One side of a comparison. */
export interface Side {
  readonly name: string
  /** Does some operations and answers how many. */
  readonly run: () => Promise<number> | number
}

/** Median figures of one side. */
export interface Figure {
  readonly perSecond: number
  /** Microseconds of processor time for one operation, all threads of this process together. */
  readonly processMicroseconds: number
  /** Those of the thread that asked. */
  readonly threadMicroseconds: number
}

/**
 * Runs all sides in turn, `rounds` times, each round in the reverse order of the one before, after one round that is not
 * counted. Answers the medians by name.
 */
export async function paired(
  sides: readonly Side[],
  rounds: number,
): Promise<(name: string) => Figure> {
  for (const side of sides) await side.run()
  const figures = new Map<string, Figure[]>(sides.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      figures.get(side.name)?.push(await once(side))
    }
  }
  return (name) => {
    const middle = (member: keyof Figure): number =>
      median((figures.get(name) ?? []).map((one) => one[member]))
    return {
      perSecond: middle('perSecond'),
      processMicroseconds: middle('processMicroseconds'),
      threadMicroseconds: middle('threadMicroseconds'),
    }
  }
}

async function once({ run }: Side): Promise<Figure> {
  collectGarbage()
  const [process0, thread0, start] = [
    process.cpuUsage(),
    process.threadCpuUsage(),
    performance.now(),
  ]
  const count = await run()
  const ms = performance.now() - start
  const [process1, thread1] = [process.cpuUsage(process0), process.threadCpuUsage(thread0)]
  return {
    perSecond: (count / ms) * 1000,
    processMicroseconds: (process1.user + process1.system) / count,
    threadMicroseconds: (thread1.user + thread1.system) / count,
  }
}

/** Works through a list with so many under way at a time; 1 is one after the other. */
export async function inFlight<T>(
  items: readonly T[],
  count: number,
  work: (item: T) => Promise<void>,
): Promise<number> {
  const left = items.values()
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: count }, worker))
  return items.length
}
