import { isPublished, makeSigningKey, PUBLISHED_BEFORE_SECONDS, signs } from '../endpoint/signer.ts'
import { MAX_TOKEN_SECONDS } from '../endpoint/revocations.ts'
import { unixSeconds } from '../platform/clock.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { SigningKeyRecord } from '../store/records.ts'
import { say, showTime, withAdministration } from './administration.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options, wordAndOptions } from './options.ts'

const place = { config: 'required', tenant: 'optional' } as const

/** `lumo-broker keys list|rotate|retire`: the keys that a tenant signs with. */
export function keys(io: Io): Promise<ExitCode> {
  const [verb, ...rest] = io.arguments
  const within = { ...io, arguments: rest }
  switch (verb) {
    case 'list':
      return list(within)
    case 'rotate':
      return rotate(within)
    case 'retire':
      return retire(within)
    default:
      throw new UsageFault('keys takes: list, rotate, retire KID')
  }
}

function list(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async (administration) => {
    const { tenant, store, surroundings } = administration
    const now = unixSeconds(surroundings.clock)
    const known = await store.signingKeys(tenant.slug)
    const signing = known
      .filter((key) => signs(key, now))
      .toSorted((a, b) => a.signsFrom - b.signsFrom)
      .at(-1)
    for (const key of known) {
      const state = key === signing ? 'signs' : stateOf(key, now)
      say(io, `${key.kid}  ${key.algorithm}  ${state}`)
    }
    return 0
  })
}

/** Of a key that does not sign now. */
function stateOf(key: SigningKeyRecord, now: number): string {
  if (key.retiredAt !== undefined) {
    const until = showTime(key.retiredAt + MAX_TOKEN_SECONDS)
    return isPublished(key, now)
      ? `retired, published until ${until}`
      : `retired, gone since ${until}`
  }
  return signs(key, now)
    ? 'published, signs no more: a newer one does'
    : `published, signs from ${showTime(key.signsFrom)}`
}

/** Makes the next key. Nobody may sign with it before everybody can have seen it. */
function rotate(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async (administration) => {
    const { tenant, store, seal, audit, surroundings } = administration
    const { clock } = surroundings
    const from = unixSeconds(clock) + PUBLISHED_BEFORE_SECONDS
    const key = await makeSigningKey(tenant.slug, tenant.algorithm, from, { seal, clock })
    await store.addSigningKey(key)
    await audit.record({ event: 'signing_key.rotated', tenant: tenant.slug, outcome: 'success' })
    say(io, `${key.kid}  ${key.algorithm}  published now, signs from ${showTime(from)}`)
    return 0
  })
}

function retire(io: Io): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'kid', place)
  return withAdministration(given, io, async ({ tenant, store, audit, surroundings }) => {
    const now = unixSeconds(surroundings.clock)
    switch (await store.retireSigningKey(tenant.slug, given.word, now)) {
      case 'unknown':
        throw new OperatorFault('there is no such key, or it is retired already')
      case 'last':
        throw new OperatorFault(
          'it is the only key that signs: rotate first, and wait until the new one signs',
        )
      case 'retired':
        await audit.record({
          event: 'signing_key.retired',
          tenant: tenant.slug,
          outcome: 'success',
        })
        say(io, `${given.word}  published until ${showTime(now + MAX_TOKEN_SECONDS)}`)
        return 0
    }
  })
}
