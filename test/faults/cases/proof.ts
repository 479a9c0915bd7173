import type { FaultCase } from '../case.ts'
import { BELOW_FLOOR, DUE, UNAVAILABLE } from './common.ts'

/** The pod's own proof is no good, which is never the caller's fault, and no reason to ask the authority. */
const unusable: readonly FaultCase[] = (
  [
    ['missing', 'proof_missing'],
    ['empty', 'proof_empty'],
    ['half-written', 'proof_malformed'],
    ['expired', 'proof_expired'],
    ['unreadable', 'proof_unreadable'],
  ] as const
).map(([proof, code]) => ({
  name: `the proof is ${proof}`,
  shape: 'sidecar',
  endsAt: 1,
  stale: false,
  renewed: true,
  told: code,
  attempts: 0,
  refreshes: 0,
  inTests: true,
  steps: [
    {
      change: { proof, pass: DUE },
      lasts: 2,
      holders: ['200'],
      newcomers: [`503 ${code}`],
      retryAfter: 1,
    },
    { change: { proof: 'good' }, lasts: 1, holders: ['200'], newcomers: ['200'] },
  ],
}))

const belowFloor: FaultCase = {
  name: 'the proof is missing, the token below its floor',
  shape: 'sidecar',
  endsAt: 1,
  stale: true,
  renewed: true,
  attempts: 0,
  refreshes: 0,
  steps: [
    {
      change: { proof: 'missing', pass: BELOW_FLOOR },
      lasts: 3,
      holders: ['200'],
      newcomers: ['503 proof_missing'],
    },
    { change: { proof: 'good' }, lasts: 1, holders: ['200'], newcomers: ['200'] },
  ],
}

/** On a node the proof is the caller's, and so is the fault. Others of the same pod have a good one. */
const shown: readonly FaultCase[] = (['expired', 'half-written'] as const).map((proof) => ({
  name: `some callers show a proof that is ${proof}`,
  shape: 'node',
  endsAt: 1,
  stale: false,
  renewed: true,
  attempts: 0,
  refreshes: 2,
  steps: [
    {
      change: { proof, pass: DUE },
      lasts: 2,
      holders: ['200'],
      newcomers: ['401 caller_unproven'],
    },
    { change: { proof: 'good' }, lasts: 1, holders: ['200'], newcomers: ['200'] },
  ],
}))

const rotated: readonly FaultCase[] = (['sidecar', 'node'] as const).flatMap((shape) => [
  {
    name: 'the proof is rotated while exchanges take 1 s',
    shape,
    followsProof: true as const,
    endsAt: 2,
    stale: false,
    renewed: true,
    // A new proof is put to use soon, by those tokens too that were just had.
    attempts: 2,
    refreshes: 4,
    steps: [
      {
        change: { upstream: { kind: 'slow' as const, ms: 1_000 }, pass: DUE },
        lasts: 1,
        holders: ['200'],
        newcomers: ['200'],
      },
      { change: { proof: 'good' as const }, lasts: 2, holders: ['200'], newcomers: ['200'] },
      { change: { upstream: 'none' as const }, lasts: 1, holders: ['200'], newcomers: ['200'] },
    ],
  },
  {
    name: 'the proof is rotated while connections are refused',
    shape,
    followsProof: true as const,
    endsAt: 1,
    stale: false,
    renewed: true,
    inTests: true as const,
    steps: [
      {
        change: { upstream: 'refused' as const, proof: 'good' as const, pass: DUE },
        lasts: 3,
        holders: ['200'],
        newcomers: [UNAVAILABLE],
      },
      { change: { upstream: 'none' as const }, lasts: 1, holders: ['200'], newcomers: ['200'] },
    ],
  },
])

export const proofCases: readonly FaultCase[] = [...unusable, belowFloor, ...shown, ...rotated]
