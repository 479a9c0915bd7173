import { OperatorFault } from '../platform/operator_fault.ts'
import { say, withAdministration } from './administration.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options, wordAndOptions } from './options.ts'

const place = { config: 'required', tenant: 'optional' } as const

/** `lumo-broker users list|disable|enable`: who of the configured users is let in. */
export function users(io: Io): Promise<ExitCode> {
  const [verb, ...rest] = io.arguments
  const within = { ...io, arguments: rest }
  switch (verb) {
    case 'list':
      return list(within)
    case 'disable':
      return set(within, true)
    case 'enable':
      return set(within, false)
    default:
      throw new UsageFault('users takes: list, disable SUB, enable SUB')
  }
}

function list(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async ({ tenant, store }) => {
    const disabled = new Set(await store.disabledUsers(tenant.slug))
    for (const { sub, email } of tenant.users) {
      say(io, `${sub}  ${email ?? '-'}  ${disabled.has(sub) ? 'disabled' : 'active'}`)
    }
    return 0
  })
}

function set(io: Io, disabled: boolean): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'sub', place)
  return withAdministration(given, io, async ({ tenant, store, audit, revocations }) => {
    const { word: sub } = given
    if (!tenant.users.some((user) => user.sub === sub)) {
      throw new OperatorFault(`there is no user ${sub}`)
    }
    await store.setUserDisabled(tenant.slug, sub, disabled)
    // So that letting the user in again does not bring back what was out at the time.
    if (disabled) await revocations.endUntilNow([{ kind: 'subject', value: sub }])
    await audit.record({
      event: disabled ? 'user.disabled' : 'user.enabled',
      tenant: tenant.slug,
      outcome: 'success',
      subject: sub,
    })
    say(io, `${sub} is ${disabled ? 'disabled' : 'active'}`)
    return 0
  })
}
