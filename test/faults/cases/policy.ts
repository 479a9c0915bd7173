import type { FaultCase } from '../case.ts'
import { DUE, REFUSED, UNAVAILABLE } from './common.ts'

const NOT_ALLOWED = '403 audience_not_allowed'

export const policyCases: readonly FaultCase[] = [
  ...(['sidecar', 'node'] as const).map((shape) => ({
    name: 'the agent is disabled',
    shape,
    endsAt: 3,
    stale: false,
    told: 'invalid_request',
    attempts: 1,
    refreshes: 4,
    ...(shape === 'sidecar' && { inTests: true as const }),
    steps: [
      {
        change: { agent: 'disabled' as const },
        lasts: 1,
        holders: ['200'],
        newcomers: [REFUSED],
      },
      {
        change: { pass: DUE },
        lasts: 1,
        holders: { from: ['200'], to: REFUSED },
        newcomers: [REFUSED],
      },
      // The refusal is remembered for 10 s, and comes again.
      { change: { pass: 11 }, lasts: 1, holders: [REFUSED], newcomers: [REFUSED] },
      {
        change: { agent: 'enabled' as const, pass: 11 },
        lasts: 1,
        holders: { from: [REFUSED], to: '200' },
        newcomers: ['200'],
      },
    ],
  })),
  {
    name: 'the agent is disabled while connections are refused',
    shape: 'sidecar',
    inTests: true,
    stale: false,
    refreshes: 30,
    steps: [
      {
        change: { upstream: 'refused', pass: DUE },
        lasts: 1,
        holders: ['200'],
        newcomers: [],
      },
      { change: { agent: 'disabled' }, lasts: 1, holders: ['200'], newcomers: [UNAVAILABLE] },
      {
        // Past the back-off, which may be a minute by then.
        change: { upstream: 'none', pass: 61 },
        lasts: 2,
        holders: { from: ['200'], to: REFUSED },
        newcomers: [REFUSED],
      },
    ],
  },
  ...(['sidecar', 'node'] as const).map((shape) => ({
    name: 'the local policy is narrowed while connections are refused',
    shape,
    endsAt: 2,
    stale: false,
    ...(shape === 'sidecar' && { inTests: true as const }),
    steps: [
      {
        change: { upstream: 'refused' as const, pass: DUE },
        lasts: 1,
        holders: ['200'],
        newcomers: [],
      },
      {
        change: { localPolicy: 'narrow' as const },
        lasts: 2,
        holders: { from: ['200'], to: NOT_ALLOWED },
        newcomers: { from: [UNAVAILABLE], to: NOT_ALLOWED },
      },
      {
        change: { upstream: 'none' as const, localPolicy: 'wide' as const, pass: 11 },
        lasts: 1,
        holders: { from: [NOT_ALLOWED], to: '200' },
        newcomers: { from: [NOT_ALLOWED], to: '200' },
      },
    ],
  })),
]
