import type { FaultCase } from '../case.ts'
import { DUE, REFUSED, UNAVAILABLE } from './common.ts'

/** The broker's wall clock is wrong by so many seconds; that of the authority is right, unless a case says otherwise. */
export const clockCases: readonly FaultCase[] = [
  {
    name: 'the clock is set 43 min ahead, past the refresh',
    shape: 'sidecar',
    endsAt: 1,
    renewed: true,
    stale: false,
    attempts: 1,
    refreshes: 2,
    steps: [
      { change: { clock: { broker: DUE } }, lasts: 2, holders: ['200'], newcomers: ['200'] },
      { change: { clock: { broker: 0 } }, lasts: 2, holders: ['200'], newcomers: ['200'] },
    ],
  },
  {
    name: 'the clock is set 43 min ahead while connections are refused',
    shape: 'sidecar',
    endsAt: 1,
    stale: false,
    steps: [
      {
        change: { upstream: 'refused', clock: { broker: DUE } },
        lasts: 3,
        holders: ['200'],
        newcomers: [UNAVAILABLE],
      },
      {
        change: { upstream: 'none', clock: { broker: 0 } },
        lasts: 1,
        holders: ['200'],
        newcomers: ['200'],
      },
    ],
  },
  {
    name: 'the clock is set 2 h ahead, past the end of the token',
    shape: 'sidecar',
    endsAt: 1,
    renewed: true,
    inTests: true,
    attempts: 1,
    refreshes: 2,
    steps: [
      { change: { clock: { broker: 7_200 } }, lasts: 2, holders: ['200'], newcomers: ['200'] },
      { change: { clock: { broker: 0 } }, lasts: 2, holders: ['200'], newcomers: ['200'] },
    ],
  },
  {
    name: 'the clock is set 2 h ahead while connections are refused',
    shape: 'sidecar',
    endsAt: 1,
    inTests: true,
    steps: [
      {
        change: { upstream: 'refused', clock: { broker: 7_200 } },
        lasts: 1,
        holders: { from: ['200'], to: UNAVAILABLE },
        newcomers: [UNAVAILABLE],
      },
      {
        change: { upstream: 'none', clock: { broker: 0 } },
        lasts: 1,
        holders: { from: [UNAVAILABLE], to: '200' },
        newcomers: ['200'],
      },
    ],
  },
  {
    name: 'the clock is set 2 h back',
    shape: 'sidecar',
    endsAt: 2,
    renewed: true,
    stale: false,
    // What newcomers got in the first step is due in the second.
    attempts: 2,
    refreshes: 2,
    steps: [
      { change: { clock: { broker: -7_200 } }, lasts: 2, holders: ['200'], newcomers: ['200'] },
      { change: { pass: DUE }, lasts: 2, holders: ['200'], newcomers: ['200'] },
      { change: { clock: { broker: 0 } }, lasts: 1, holders: ['200'], newcomers: ['200'] },
    ],
  },
  {
    name: 'the clock is set 2 h back, and the token ends while connections are refused',
    shape: 'sidecar',
    endsAt: 2,
    inTests: true,
    steps: [
      {
        change: { upstream: 'refused', clock: { broker: -7_200 } },
        lasts: 1,
        holders: ['200'],
        newcomers: [],
      },
      {
        change: { pass: 3_600 },
        lasts: 1,
        holders: { from: ['200'], to: UNAVAILABLE },
        newcomers: [UNAVAILABLE],
      },
      {
        change: { upstream: 'none', clock: { broker: 0 } },
        lasts: 1,
        holders: { from: [UNAVAILABLE], to: '200' },
        newcomers: ['200'],
      },
    ],
  },
  {
    name: 'the clock is set 2 h ahead and back, and the token of meanwhile ends in an outage',
    shape: 'sidecar',
    endsAt: 3,
    steps: [
      { change: { clock: { broker: 7_200 } }, lasts: 1, holders: ['200'] },
      { change: { clock: { broker: 0 } }, lasts: 1, holders: ['200'] },
      {
        change: { upstream: 'refused', pass: 3_600 },
        lasts: 1,
        holders: { from: ['200'], to: UNAVAILABLE },
        newcomers: [UNAVAILABLE],
      },
      {
        change: { upstream: 'none' },
        lasts: 1,
        holders: { from: [UNAVAILABLE], to: '200' },
        newcomers: ['200'],
      },
    ],
  },
  {
    name: "the authority's clock is 1 h ahead",
    shape: 'sidecar',
    endsAt: 1,
    renewed: true,
    stale: false,
    attempts: 1,
    refreshes: 2,
    steps: [
      {
        change: { clock: { authority: 3_600 }, pass: DUE },
        lasts: 2,
        holders: ['200'],
        newcomers: ['200'],
      },
      { change: { clock: { authority: 0 } }, lasts: 1, holders: ['200'], newcomers: ['200'] },
    ],
  },
  {
    // A proof that was made just now is of its future, and refused as one that a cluster with a wrong clock made.
    name: "the authority's clock is 2 min behind, the proof was rotated",
    shape: 'sidecar',
    endsAt: 1,
    attempts: 1,
    refreshes: 0,
    told: 'invalid_request',
    steps: [
      {
        change: { clock: { authority: -120 }, proof: 'good' },
        lasts: 2,
        holders: ['200'],
        newcomers: [REFUSED],
      },
      { change: { clock: { authority: 0 } }, lasts: 1, holders: ['200'], newcomers: ['200'] },
    ],
  },
]
