import { systemRandom, type Random } from '../../src/platform/random.ts'

/** A source whose every fraction is this one, from 0 to below 1. */
export function fixedRandom(fraction: number): Random {
  const bytes = (count: number): Buffer => {
    const drawn = Buffer.alloc(Math.max(count, 4))
    drawn.writeUInt32BE(Math.floor(fraction * 2 ** 32))
    return drawn.subarray(0, count)
  }
  return { ...systemRandom, bytes }
}

/** The latest and the earliest that can be drawn. */
export const extremes = { least: fixedRandom(0), most: fixedRandom(1 - 2 ** -32) }

/** A source that repeats itself: a linear congruential generator, of which nobody expects more than spread. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const bytes = (count: number): Buffer => {
    const drawn = Buffer.alloc(count)
    for (let at = 0; at < count; at += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      drawn[at] = state >>> 24
    }
    return drawn
  }
  return { ...systemRandom, bytes }
}
