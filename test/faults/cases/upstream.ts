import type { FaultCase, Outcome, Step } from '../case.ts'
import type { Change } from '../change.ts'
import type { Fault } from '../faulty_server.ts'
import { BELOW_FLOOR, BUSY, DUE, UNAVAILABLE } from './common.ts'

/** The fault begins as the token that is held is due, lasts until newcomers have felt it, and ends. */
function outage(
  name: string,
  during: { readonly change: Change; readonly newcomers: Outcome; readonly retryAfter?: number },
  after: Change,
  more: Partial<FaultCase> = {},
): FaultCase {
  const { change, newcomers, retryAfter } = during
  return {
    name,
    shape: 'sidecar',
    endsAt: 1,
    stale: false,
    renewed: true,
    steps: [
      {
        change: { pass: DUE, ...change },
        lasts: 3,
        holders: ['200'],
        newcomers: [newcomers],
        ...(retryAfter !== undefined && { retryAfter }),
      },
      { change: after, lasts: 1, holders: ['200'], newcomers: ['200'] },
    ],
    ...more,
  }
}

/** An authority that answers so. */
function answering(
  name: string,
  upstream: Fault,
  newcomers: Outcome,
  {
    retryAfter = newcomers === '200' ? undefined : 1,
    ...more
  }: Partial<FaultCase> & {
    readonly retryAfter?: number
  } = {},
): FaultCase {
  const during = {
    change: { upstream },
    newcomers,
    ...(retryAfter !== undefined && { retryAfter }),
  }
  // Until the time that it asked for is over, an authority that is back is left alone.
  const pass = Math.min(retryAfter ?? 0, 60)
  return outage(name, during, { upstream: 'none', ...(pass > 8 && { pass }) }, more)
}

const status = (code: number, retryAfter?: number): Fault => ({
  kind: 'status',
  status: code,
  ...(retryAfter !== undefined && { retryAfter }),
})

const told = {
  unavailable: { told: 'authority_unavailable' },
  busy: { told: 'authority_busy' },
  unusable: { told: 'authority_answer_unusable' },
  timeout: { told: 'authority_timeout' },
  brokenOff: { told: 'authority_broken_off' },
  noConnection: { told: 'authority_cannot_connect' },
  untrusted: { told: 'authority_tls_untrusted' },
} as const

/** One request for each token, and no other. */
const once = { attempts: 1, refreshes: 2 } as const
/** An exchange is given up after 5 s, a connection after 2 s. */
const timedOut = { attempts: 2, refreshes: 6 } as const
const notConnected = { attempts: 4, refreshes: 10 } as const

const answers: readonly FaultCase[] = [
  answering('answers after 1 s', { kind: 'slow', ms: 1_000 }, '200', once),
  answering('answers after 4 s', { kind: 'slow', ms: 4_000 }, '200', { ...once, inTests: true }),
  answering('answers after 30 s', { kind: 'slow', ms: 30_000 }, UNAVAILABLE, {
    ...told.timeout,
    ...timedOut,
  }),
  answering('500', status(500), UNAVAILABLE, { ...told.unavailable, inTests: true }),
  answering('503', status(503), UNAVAILABLE, told.unavailable),
  answering('503, Retry-After 2', status(503, 2), UNAVAILABLE, {
    ...told.unavailable,
    retryAfter: 2,
    attempts: 4,
  }),
  answering('503, Retry-After 60', status(503, 60), UNAVAILABLE, {
    ...told.unavailable,
    retryAfter: 60,
    attempts: 1,
    refreshes: 2,
  }),
  answering('429, Retry-After 2', status(429, 2), BUSY, {
    ...told.busy,
    retryAfter: 2,
    attempts: 4,
  }),
  answering('429, Retry-After 60', status(429, 60), BUSY, {
    ...told.busy,
    retryAfter: 60,
    attempts: 1,
    refreshes: 2,
    inTests: true,
  }),
  answering('resets in mid-answer', { kind: 'reset' }, UNAVAILABLE, {
    ...told.brokenOff,
    inTests: true,
  }),
  answering('answers a byte at a time', { kind: 'dripping' }, UNAVAILABLE, {
    ...told.timeout,
    ...timedOut,
  }),
  answering('200 with HTML', { kind: 'garbage', what: 'html' }, UNAVAILABLE, told.unusable),
  answering('200 with half of its JSON', { kind: 'garbage', what: 'truncated' }, UNAVAILABLE, {
    ...told.unusable,
    inTests: true,
  }),
  answering('200 without access_token', { kind: 'garbage', what: 'tokenless' }, UNAVAILABLE, {
    ...told.unusable,
  }),
  answering('200 with 100 MB', { kind: 'garbage', what: 'endless' }, UNAVAILABLE, {
    told: 'authority_answer_too_large',
    inTests: true,
  }),
  answering('302 to elsewhere', status(302), UNAVAILABLE, told.unusable),
  answering('404 of another server', status(404), UNAVAILABLE, told.unusable),
]

const connections: readonly FaultCase[] = [
  answering('connection refused', 'refused', UNAVAILABLE, told.noConnection),
  answering('connection refused', 'refused', UNAVAILABLE, {
    ...told.noConnection,
    shape: 'node',
    inTests: true,
  }),
  answering('accepts, never answers', 'silent', UNAVAILABLE, {
    told: 'authority_connect_timeout',
    ...notConnected,
    inTests: true,
  }),
  answering('accepts, never answers', 'silent', UNAVAILABLE, {
    told: 'authority_connect_timeout',
    ...notConnected,
    shape: 'node',
  }),
  outage(
    'its name has no address',
    { change: { name: 'unknown' }, newcomers: UNAVAILABLE, retryAfter: 1 },
    { name: 'known' },
    { ...told.noConnection, byName: true, inTests: true },
  ),
  outage(
    'its process is stopped',
    { change: { process: 'stopped' }, newcomers: UNAVAILABLE, retryAfter: 1 },
    { process: 'started' },
    { ...told.noConnection },
  ),
  ...(['expired', 'of another CA', 'of another name'] as const).map((certificate) =>
    outage(
      `its certificate is ${certificate}`,
      { change: { certificate }, newcomers: UNAVAILABLE, retryAfter: 1 },
      { certificate: 'good' },
      certificate === 'of another name'
        ? { told: 'authority_tls_wrong_name' }
        : { ...told.untrusted, inTests: true },
    ),
  ),
]

/** Short enough to cost nobody anything: whoever asks meanwhile waits, and gets a token. */
function blip(name: string, upstream: Fault, seconds: number, more: Partial<FaultCase> = {}) {
  return {
    name: `${name} for ${String(seconds)} s`,
    shape: 'sidecar' as const,
    endsAt: 1,
    stale: false,
    renewed: true,
    steps: [
      { change: { pass: DUE, upstream }, lasts: seconds, holders: ['200'], newcomers: [] },
      { change: { upstream: 'none' as const }, lasts: 1, holders: ['200'], newcomers: ['200'] },
    ],
    ...more,
  }
}

const blips: readonly FaultCase[] = [
  blip('500', status(500), 5, { inTests: true }),
  blip('connection refused', 'refused', 5),
  blip('resets in mid-answer', { kind: 'reset' }, 5),
  blip('429, Retry-After 2', status(429, 2), 5),
  blip('accepts, never answers,', 'silent', 3),
]

const belowFloor = (upstream: Fault, more: Partial<FaultCase>): FaultCase => {
  const steps: readonly Step[] = [
    {
      change: { pass: BELOW_FLOOR, upstream },
      lasts: 4,
      holders: ['200'],
      newcomers: [UNAVAILABLE],
    },
    { change: { upstream: 'none' }, lasts: 1, holders: ['200'], newcomers: ['200'] },
  ]
  // Those of ahead of time, and two times whoever waits for a better token.
  const refreshes = 46
  return {
    name: '',
    shape: 'sidecar',
    endsAt: 1,
    stale: true,
    renewed: true,
    refreshes,
    steps,
    ...more,
  }
}

const lastSeconds: readonly FaultCase[] = [
  belowFloor('refused', { name: 'connection refused, the token below its floor', inTests: true }),
  belowFloor('refused', {
    name: 'connection refused, the token below its floor, 50 callers',
    holders: 50,
  }),
  belowFloor('refused', {
    name: 'connection refused, the token below its floor',
    shape: 'node',
  }),
  belowFloor('silent', { name: 'accepts, never answers, the token below its floor' }),
  belowFloor(
    { kind: 'slow', ms: 30_000 },
    { name: 'answers after 30 s, the token below its floor' },
  ),
  {
    name: 'connection refused beyond the end of the token',
    shape: 'sidecar',
    endsAt: 2,
    stale: true,
    refreshes: 60,
    inTests: true,
    steps: [
      { change: { pass: 3_595, upstream: 'refused' }, lasts: 1, holders: ['200'] },
      { change: {}, lasts: 1, holders: { from: ['200'], to: UNAVAILABLE } },
      {
        change: { upstream: 'none' },
        lasts: 1,
        holders: { from: [UNAVAILABLE], to: '200' },
        newcomers: ['200'],
      },
    ],
  },
]

function twice(name: string, first: Change, second: Change, after: Change): FaultCase {
  return {
    name,
    shape: 'sidecar',
    endsAt: 2,
    stale: false,
    renewed: true,
    refreshes: 36,
    steps: [
      { change: { pass: DUE, ...first }, lasts: 3, holders: ['200'], newcomers: [UNAVAILABLE] },
      { change: second, lasts: 3, holders: ['200'], newcomers: [UNAVAILABLE] },
      { change: after, lasts: 1, holders: ['200'], newcomers: ['200'] },
    ],
  }
}

const inARow: readonly FaultCase[] = [
  twice(
    'accepts, never answers; then 500',
    { upstream: 'silent' },
    { upstream: status(500) },
    { upstream: 'none' },
  ),
  twice(
    'connection refused; then a certificate of another CA',
    { upstream: 'refused' },
    { upstream: 'none', certificate: 'of another CA' },
    { certificate: 'good' },
  ),
  {
    ...twice(
      'its process is stopped; back; 503',
      { process: 'stopped' },
      { process: 'started', upstream: status(503) },
      { upstream: 'none' },
    ),
  },
]

export const upstreamCases: readonly FaultCase[] = [
  ...answers,
  ...connections,
  ...blips,
  ...lastSeconds,
  ...inARow,
]
