import { expect, test } from 'vitest'
import { judgeRotation, type Rotation, type RotationOutcome } from '../../src/store/rotation.ts'
import type { RefreshFamily } from '../../src/store/records.ts'
import { family, now, rotation, secretOf, sha256, shown } from './records.ts'

const start = now * 1000

/** Rotated three times: at the start, and one and two seconds later. */
const thrice = family({
  generation: 3,
  currentHash: secretOf(3),
  previousHash: secretOf(2),
  rotatedAt: [start, start + 1_000, start + 2_000],
})

/** Rotated a hundred times, one second apart; the last 16 are remembered. */
const often = family({
  generation: 100,
  currentHash: secretOf(100),
  previousHash: secretOf(99),
  rotatedAt: Array.from({ length: 16 }, (_, n) => start + (84 + n) * 1_000),
})

interface Case {
  readonly name: string
  readonly family: RefreshFamily
  readonly rotation: Rotation
  readonly outcome: RotationOutcome
}

const wrong = { presentedHash: sha256('guess') }
const other = { successorHash: sha256('of another key') }

const cases: readonly Case[] = [
  { name: 'the first', family: family(), rotation: rotation(0, 0), outcome: 'rotated' },
  { name: 'the current', family: thrice, rotation: rotation(3, 2_000), outcome: 'rotated' },
  {
    name: 'the current, after a year',
    family: thrice,
    rotation: rotation(3, 3e10),
    outcome: 'rotated',
  },
  {
    name: 'the current, with a wrong secret',
    family: thrice,
    rotation: rotation(3, 0, wrong),
    outcome: 'unknown',
  },
  {
    name: 'the current, with the secret before it',
    family: thrice,
    rotation: rotation(3, 0, { presentedHash: secretOf(2) }),
    outcome: 'unknown',
  },
  {
    name: 'the current, with a hash that is too short',
    family: thrice,
    rotation: rotation(3, 0, { presentedHash: secretOf(3).subarray(1) }),
    outcome: 'unknown',
  },
  { name: 'the next', family: thrice, rotation: rotation(4, 0), outcome: 'unknown' },
  {
    name: 'the one before, at once',
    family: thrice,
    rotation: rotation(2, 2_000),
    outcome: 'repeated',
  },
  {
    name: 'the one before, in the last millisecond',
    family: thrice,
    rotation: rotation(2, 11_999),
    outcome: 'repeated',
  },
  {
    name: 'the one before, when the window has ended',
    family: thrice,
    rotation: rotation(2, 12_000),
    outcome: 'reused',
  },
  {
    name: 'the one before, by a clock that is behind',
    family: thrice,
    rotation: rotation(2, -60_000),
    outcome: 'repeated',
  },
  {
    name: 'the one before, with no window',
    family: thrice,
    rotation: rotation(2, 2_000, { graceMs: 0 }),
    outcome: 'reused',
  },
  {
    name: 'the one before, with a wrong secret',
    family: thrice,
    rotation: rotation(2, 2_000, wrong),
    outcome: 'unknown',
  },
  {
    name: 'the one before, with a wrong secret, late',
    family: thrice,
    rotation: rotation(2, 99_000, wrong),
    outcome: 'unknown',
  },
  {
    name: 'the one before, for another successor',
    family: thrice,
    rotation: rotation(2, 2_000, other),
    outcome: 'late',
  },
  {
    name: 'the one before, for another successor, when the window has ended',
    family: thrice,
    rotation: rotation(2, 12_000, other),
    outcome: 'reused',
  },
  {
    name: 'one whose successor was used, inside its window',
    family: thrice,
    rotation: rotation(1, 10_999),
    outcome: 'late',
  },
  {
    name: 'one whose successor was used, when its window has ended',
    family: thrice,
    rotation: rotation(1, 11_000),
    outcome: 'reused',
  },
  {
    name: 'one further back, inside its own window',
    family: thrice,
    rotation: rotation(0, 9_999),
    outcome: 'late',
  },
  {
    name: 'one further back, when its own window has ended',
    family: thrice,
    rotation: rotation(0, 10_000),
    outcome: 'reused',
  },
  {
    name: 'the oldest that is remembered, inside its window',
    family: often,
    rotation: rotation(84, 93_999),
    outcome: 'late',
  },
  {
    name: 'one that is forgotten, however soon',
    family: often,
    rotation: rotation(0, 93_999),
    outcome: 'reused',
  },
  {
    name: 'one that is forgotten, after that',
    family: often,
    rotation: rotation(0, 94_000),
    outcome: 'reused',
  },
]

test.each(cases)('$name: $outcome', ({ family, rotation, outcome }) => {
  const verdict = judgeRotation(family, rotation)
  expect(verdict.outcome).toBe(outcome)
  // What is written is only ever a rotation.
  expect(verdict.family !== undefined).toBe(outcome === 'rotated')
})

test('a rotation puts the successor in the place of the presented one, and changes nothing else', () => {
  const { family: after } = judgeRotation(thrice, rotation(3, 5_000))
  expect(shown(after)).toEqual(
    shown({
      ...thrice,
      generation: 4,
      currentHash: secretOf(4),
      previousHash: secretOf(3),
      rotatedAt: [start, start + 1_000, start + 2_000, start + 5_000],
    }),
  )
})

test('no more than the last 16 rotations are remembered', () => {
  const { family: after } = judgeRotation(often, rotation(100, 100_000))
  expect(after?.rotatedAt).toEqual(Array.from({ length: 16 }, (_, n) => start + (85 + n) * 1_000))
})
