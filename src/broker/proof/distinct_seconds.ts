import type { Random } from '../../platform/random.ts'

/** Less than the age of 30 s up to which the strictest authority takes a signed request. */
const WINDOW_SECONDS = 25

/**
 * Seconds to sign with, each given out once. A signed request names its time to the second and nothing else that changes,
 * so two of one second would be the same request, and the second of them a replay.
 *
 * Any of those just gone by is taken, not the latest: workloads may share credentials (all on one instance do, and each
 * sidecar that starts anew), cannot know of each other, and often start together. That makes a clash rare; only something
 * else that is signed along could rule it out.
 */
export class DistinctSeconds {
  readonly #random: Random
  #taken: number[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** A second that is not taken yet, in Unix seconds; undefined: all of the last ones are. */
  take(now: number): number | undefined {
    // Those ahead stay, too: the clock may have gone back, and will get there again.
    this.#taken = this.#taken.filter((second) => second > now - WINDOW_SECONDS)
    const free = Array.from({ length: WINDOW_SECONDS }, (_none, back) => now - back).filter(
      (second) => !this.#taken.includes(second),
    )
    const second = free[this.#random.bytes(4).readUInt32BE() % free.length]
    if (second !== undefined) this.#taken.push(second)
    return second
  }
}
