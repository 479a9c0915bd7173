import type { Administration } from '../compose/administration.ts'
import { MAX_TOKEN_SECONDS } from '../endpoint/revocations.ts'
import { unixSeconds } from '../platform/clock.ts'
import { say, warn, withAdministration } from './administration.ts'
import { wasIssued } from './audit.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options } from './options.ts'

const kinds = ['agent', 'client', 'user', 'grant', 'jti'] as const

interface Target {
  readonly kind: (typeof kinds)[number] | 'tenant'
  readonly value: string
}

/** `lumo-broker revoke --agent|--client|--user|--grant|--jti|--tenant`: ends what was issued, at once. */
export function revoke(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, {
    config: 'required',
    tenant: 'optional',
    agent: 'optional',
    client: 'optional',
    user: 'optional',
    grant: 'optional',
    jti: 'optional',
  })
  const target = targetOf(given)
  return withAdministration(given, io, async (administration) => {
    const doubt = await end(target, administration)
    const { tenant, audit } = administration
    await audit.record({
      event: 'token.revoked',
      tenant: tenant.slug,
      outcome: 'success',
      severity: 'high',
      reason: `revoke_${target.kind}`,
      ...(target.kind === 'user' && { subject: target.value }),
      ...(target.kind === 'client' && { client_id: target.value }),
      ...(target.kind === 'agent' && { rule: target.value }),
      ...(target.kind === 'grant' && { grant_id: target.value }),
      ...(target.kind === 'jti' && { jti: target.value }),
    })
    say(io, `revoked: ${target.kind} ${target.value}`)
    if (doubt !== undefined) warn(io, doubt)
    say(io, 'Verifiers that work offline see nothing of it until the tokens expire.')
    return 0
  })
}

/** `--tenant` alone means all of it; beside another it says where that one is. */
function targetOf(given: Readonly<Partial<Record<Target['kind'], string | undefined>>>): Target {
  const named = kinds.flatMap((kind) => {
    const value = given[kind]
    return value === undefined ? [] : [{ kind, value }]
  })
  const [target, ...more] = named
  // As a shell makes it of a variable that is not set: it would be reported as revoked, and nothing would be.
  if (target?.value === '') throw new UsageFault(`--${target.kind} must not be empty`)
  if (target && more.length === 0) return target
  if (!target && given.tenant !== undefined) return { kind: 'tenant', value: given.tenant }
  throw new UsageFault('revoke takes one of --agent, --client, --user, --grant, --jti, --tenant')
}

/** Undefined, or why it may be nothing that was ended: a name that nobody bears is revoked like any other. */
async function end(
  { kind, value }: Target,
  administration: Administration,
): Promise<string | undefined> {
  const { policy, revocations, store, tenant, surroundings } = administration
  switch (kind) {
    case 'agent': {
      const named = (await policy()).named(value)
      // One that the policy names no longer had these by default.
      const { sub, clientId } = named ?? { sub: `agent:${value}`, clientId: value }
      await revocations.endUntilNow([
        { kind: 'subject', value: sub },
        { kind: 'client', value: clientId },
      ])
      return named ? undefined : 'no agent of that name is in the policy'
    }
    case 'client':
      await revocations.endUntilNow([{ kind, value }])
      return undefined
    case 'user':
      await revocations.endUntilNow([{ kind: 'subject', value }])
      // Where somebody is signed in, the next code would come without a question.
      await store.endSessions(tenant.slug, value)
      return undefined
    case 'grant':
      await revocations.endGrant(value)
      return undefined
    case 'jti':
      await revocations.endToken(value, unixSeconds(surroundings.clock) + MAX_TOKEN_SECONDS)
      return (await wasIssued(value, administration))
        ? undefined
        : 'no token of that id was issued here in the last 24 h'
    case 'tenant':
      await revocations.endUntilNow([{ kind, value: '' }])
      return undefined
  }
}
