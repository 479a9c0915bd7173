import type { FaultCase } from '../case.ts'
import { clockCases } from './clock.ts'
import { UNAVAILABLE } from './common.ts'
import { keyCases } from './keys.ts'
import { policyCases } from './policy.ts'
import { proofCases } from './proof.ts'
import { upstreamCases } from './upstream.ts'

/** Nothing is skipped here: the shortest life that a token may have, in real time. */
const realTime: FaultCase = {
  name: 'connection refused, a token of 60 s in real time',
  shape: 'sidecar',
  lifetime: 60,
  endsAt: 2,
  stale: true,
  renewed: true,
  refreshes: 60,
  steps: [
    { change: {}, lasts: 30, holders: ['200'] },
    { change: { upstream: 'refused' }, lasts: 24, holders: ['200'], newcomers: [UNAVAILABLE] },
    { change: { upstream: 'none' }, lasts: 8, holders: ['200'], newcomers: ['200'] },
  ],
}

/** The fault table, the longest first. */
export const faultCases: readonly FaultCase[] = [
  realTime,
  ...upstreamCases,
  ...proofCases,
  ...keyCases,
  ...policyCases,
  ...clockCases,
]
