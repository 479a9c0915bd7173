import type { FaultCase } from '../case.ts'
import { DUE, UNAVAILABLE } from './common.ts'

const CANNOT_VERIFY = '503 cannot_verify'

/** The signing keys of the cluster: rotated, not to be fetched, or both. */
export const keyCases: readonly FaultCase[] = [
  {
    // The authority looks for the new key at most every 5 s; whoever asks meanwhile waits for it.
    name: "the cluster's key is replaced while tokens are exchanged",
    shape: 'sidecar',
    endsAt: 2,
    stale: false,
    renewed: true,
    inTests: true,
    // Told to come back in up to 5 s; and once more as they are due.
    attempts: 5,
    refreshes: 8,
    steps: [
      {
        change: { clusterKey: 'replaced', proof: 'good' },
        lasts: 2,
        holders: ['200'],
        newcomers: ['200'],
      },
      { change: { pass: DUE }, lasts: 2, holders: ['200'], newcomers: ['200'] },
      { change: {}, lasts: 0, holders: ['200'], newcomers: ['200'] },
    ],
  },
  {
    name: "the cluster's key is replaced while the key set cannot be fetched",
    shape: 'sidecar',
    endsAt: 1,
    stale: false,
    renewed: true,
    told: 'authority_unavailable',
    steps: [
      {
        change: { keySet: 'out', clusterKey: 'replaced', proof: 'good', pass: DUE },
        lasts: 3,
        holders: ['200'],
        newcomers: [UNAVAILABLE],
      },
      {
        change: { keySet: 'published' },
        lasts: 1,
        holders: ['200'],
        newcomers: { from: [UNAVAILABLE], to: '200' },
      },
    ],
  },
  ...(['sidecar', 'node'] as const).map((shape) => ({
    name: "the cluster's key set cannot be fetched, its key is the old one",
    shape,
    endsAt: 1,
    stale: false,
    renewed: true,
    attempts: 1,
    refreshes: 4,
    steps: [
      {
        change: { keySet: 'out' as const, pass: DUE },
        lasts: 3,
        holders: ['200'],
        newcomers: ['200'],
      },
      {
        change: { keySet: 'published' as const },
        lasts: 1,
        holders: ['200'],
        newcomers: ['200'],
      },
    ],
  })),
  {
    name: 'the cluster signs with a second key',
    shape: 'node',
    endsAt: 1,
    stale: false,
    attempts: 4,
    refreshes: 2,
    steps: [
      {
        change: { clusterKey: 'added', proof: 'good' },
        lasts: 2,
        holders: ['200'],
        newcomers: { from: [CANNOT_VERIFY], to: '200' },
      },
      { change: {}, lasts: 0, holders: ['200'], newcomers: ['200'] },
    ],
  },
  {
    name: 'the cluster signs with a second key while the key set cannot be fetched',
    shape: 'node',
    endsAt: 1,
    stale: false,
    renewed: true,
    attempts: 0,
    inTests: true,
    steps: [
      {
        change: { keySet: 'out', clusterKey: 'added', proof: 'good', pass: DUE },
        lasts: 2,
        holders: ['200'],
        newcomers: [CANNOT_VERIFY],
      },
      {
        change: { keySet: 'published' },
        lasts: 1,
        holders: ['200'],
        newcomers: { from: [CANNOT_VERIFY], to: '200' },
      },
    ],
  },
]
