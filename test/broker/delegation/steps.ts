import * as fc from 'fast-check'

/** What can happen, in any order. Numbers choose among what there is. */
export type Step =
  | { readonly do: 'begin'; readonly pod: number; readonly user: number }
  | { readonly do: 'ask'; readonly session: number; readonly by: number; readonly target: number }
  | {
      readonly do: 'ask_loose'
      readonly pod: number
      readonly user: number
      readonly target: number
    }
  | { readonly do: 'own'; readonly pod: number; readonly target: number }
  | { readonly do: 'end'; readonly session: number }
  | { readonly do: 'stream'; readonly session: number; readonly target: number }
  | { readonly do: 'revoke'; readonly kind: 'jti' | 'grant' | 'sub'; readonly of: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'jump'; readonly seconds: number }
  | { readonly do: 'out' | 'back' }
  | { readonly do: 'become'; readonly pod: number; readonly agent: number }
  | { readonly do: 'login'; readonly user: number }

const some = fc.nat(7)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('begin' as const), pod: some, user: some }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      session: some,
      // Mostly its own pod, sometimes another.
      by: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: some }),
      target: fc.nat(1),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ask_loose' as const),
      pod: some,
      user: some,
      target: fc.nat(1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('own' as const), pod: some, target: fc.nat(1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), session: some }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('stream' as const), session: some, target: fc.nat(1) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('revoke' as const),
      kind: fc.constantFrom('jti' as const, 'grant' as const, 'sub' as const),
      of: some,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(59, 61, 300, 880, 905)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('jump' as const),
      seconds: fc.constantFrom(-86_400, -600, -30, 30, 600),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('out' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('back' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('become' as const), pod: some, agent: some }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('login' as const), user: some }) },
)

/** A long while is passed over in one step by the clock, and costs as much as so many looks. */
const waiting = (...seconds: readonly number[]): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(...seconds) })
const asking = (session: number, target = 0): fc.Arbitrary<Step> =>
  fc.constant({ do: 'ask', session, by: -1, target })

/** What is rare by chance, and what the bounds are about: the same token asked for again after just so long. */
const episode: fc.Arbitrary<readonly Step[]> = fc.nat(2).chain((session) =>
  fc.oneof(
    fc.tuple(
      asking(session),
      waiting(14, 16, 17, 20),
      fc.record({
        do: fc.constant('revoke' as const),
        kind: fc.constantFrom('jti' as const, 'grant' as const),
        of: fc.constant(0),
      }),
      waiting(1, 14, 20, 26, 29, 31, 34, 44),
      asking(session),
    ),
    fc.tuple(
      asking(session),
      fc.constant<Step>({ do: 'out' }),
      waiting(29, 31, 58, 59, 60, 61, 75, 88),
      asking(session),
      fc.constant<Step>({ do: 'back' }),
      asking(session),
    ),
    // The next token could not be fetched ahead of time, and this one is about to end.
    fc.tuple(
      asking(session),
      fc.constant<Step>({ do: 'out' }),
      waiting(880, 886, 890, 895),
      fc.constant<Step>({ do: 'back' }),
      asking(session),
    ),
    fc.tuple(
      fc.constant<Step>({ do: 'ask_loose', pod: 0, user: session, target: 0 }),
      fc.record({ do: fc.constant('become' as const), pod: fc.constant(0), agent: some }),
      fc.constant<Step>({ do: 'ask_loose', pod: 0, user: session, target: 0 }),
    ),
  ),
)

export const play: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: step.map((one): readonly Step[] => [one]) },
      { weight: 1, arbitrary: episode },
    ),
    { minLength: 10, maxLength: 45 },
  )
  .map((parts) => [{ do: 'begin', pod: 0, user: 0 } as const, ...parts.flat()])
