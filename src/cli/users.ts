import { Passwords } from '../endpoint/sign_in/password.ts'
import { newLocalSub, newUpstreamSub } from '../endpoint/users.ts'
import { unixSeconds } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { say, withAdministration } from './administration.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options, wordAndOptions } from './options.ts'

const place = { config: 'required', tenant: 'optional' } as const

/** `lumo-broker users add|list|disable|enable|reset`: the kept users, and who of all users is let in. */
export function users(io: Io): Promise<ExitCode> {
  const [verb, ...rest] = io.arguments
  const within = { ...io, arguments: rest }
  switch (verb) {
    case 'add':
      return add(within)
    case 'reset':
      return reset(within)
    case 'list':
      return list(within)
    case 'disable':
      return set(within, true)
    case 'enable':
      return set(within, false)
    default:
      throw new UsageFault('users takes: add, list, disable SUB, enable SUB, reset SUB')
  }
}

/** NIST SP 800-63B asks for nothing of a generated password but its length. */
const PASSWORD_BYTES = 18
const email = /^[\x21-\x3f\x41-\x7e]{1,64}@[\x21-\x3f\x41-\x7e]{1,190}$/

function add(io: Io): Promise<ExitCode> {
  const isUpstream = io.arguments.some((word) => word.startsWith('--upstream'))
  return isUpstream ? addUpstream(io) : addLocal(io)
}

function addLocal(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, { ...place, email: 'required', name: 'optional' })
  return withAdministration(given, io, async ({ tenant, store, audit, surroundings }) => {
    const { random, clock } = surroundings
    const address = given.email.toLowerCase()
    if (!email.test(address)) throw new OperatorFault('--email is no address')
    if ((given.name?.length ?? 0) > 255) throw new OperatorFault('--name is too long')
    const { password, kept } = await newPassword(random)
    const sub = newLocalSub(random.uuid())
    const added = await store.addLocalUser({
      tenant: tenant.slug,
      sub,
      email: address,
      name: given.name,
      password: kept,
      createdAt: unixSeconds(clock),
    })
    if (!added) throw new OperatorFault(`${address} is a user already`)
    await audit.record({
      event: 'user.added',
      tenant: tenant.slug,
      outcome: 'success',
      subject: sub,
    })
    say(io, `sub: ${sub}`)
    // Only here and only now: the store has its hash.
    say(io, `password: ${password}`)
    return 0
  })
}

/** `sub` of OpenID Connect Core section 2. */
const subject = /^[\x20-\x7e]{1,255}$/

/** Lets somebody in whom another provider signs in: it says their address and name when they come. */
function addUpstream(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, { ...place, upstream: 'required', subject: 'required' })
  return withAdministration(given, io, async ({ tenant, store, audit, surroundings }) => {
    const upstream = tenant.upstreams.find(({ name }) => name === given.upstream)
    if (!upstream) throw new OperatorFault('the tenant has no upstream of this name')
    if (!subject.test(given.subject)) throw new OperatorFault('--subject is no `sub`')
    const { issuer } = upstream
    const known = await store.upstreamUserOf(tenant.slug, issuer, given.subject)
    if (known) throw new OperatorFault(`they are a user already: ${known.sub}`)
    const { sub } = await store.putUpstreamUser({
      tenant: tenant.slug,
      issuer,
      subject: given.subject,
      sub: newUpstreamSub(surroundings.random.uuid()),
      email: undefined,
      emailVerified: false,
      name: undefined,
      createdAt: unixSeconds(surroundings.clock),
    })
    await audit.record({
      event: 'user.added',
      tenant: tenant.slug,
      outcome: 'success',
      subject: sub,
      provider: upstream.name,
      subject_proof: given.subject,
    })
    say(io, `sub: ${sub}`)
    return 0
  })
}

/** Another password; whoever is signed in with the old one is out. */
function reset(io: Io): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'sub', place)
  return withAdministration(given, io, async ({ tenant, store, audit, surroundings }) => {
    const { word: sub } = given
    const { password, kept } = await newPassword(surroundings.random)
    if (!(await store.setPassword(tenant.slug, sub, kept))) throw noUser(sub)
    await store.endSessions(tenant.slug, sub)
    await audit.record({
      event: 'user.password_reset',
      tenant: tenant.slug,
      outcome: 'success',
      subject: sub,
    })
    say(io, `password: ${password}`)
    return 0
  })
}

async function newPassword(random: Random) {
  const password = random.bytes(PASSWORD_BYTES).toString('base64url')
  return { password, kept: await new Passwords(random).hash(password) }
}

function noUser(sub: string): OperatorFault {
  return new OperatorFault(`there is no user ${sub}`)
}

function list(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async ({ tenant, store }) => {
    const disabled = new Set(await store.disabledUsers(tenant.slug))
    for (const { sub, email } of tenant.users) {
      say(io, `${sub}  ${email ?? '-'}  ${disabled.has(sub) ? 'disabled' : 'active'}`)
    }
    for (const { sub, email } of await store.localUsers(tenant.slug)) {
      say(io, `${sub}  ${email}  ${disabled.has(sub) ? 'disabled' : 'active'}  local`)
    }
    for (const { sub, email, issuer, subject: there } of await store.upstreamUsers(tenant.slug)) {
      const name = tenant.upstreams.find((upstream) => upstream.issuer === issuer)?.name
      // A provider that was taken out of the configuration lets nobody in.
      const state = disabled.has(sub) || name === undefined ? 'disabled' : 'active'
      say(io, `${sub}  ${email ?? '-'}  ${state}  ${name ?? issuer} ${there}`)
    }
    return 0
  })
}

function set(io: Io, disabled: boolean): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'sub', place)
  return withAdministration(given, io, async ({ tenant, store, audit, revocations }) => {
    const { word: sub } = given
    const isThere =
      tenant.users.some((user) => user.sub === sub) ||
      (await store.localUser(tenant.slug, sub)) ||
      (await store.upstreamUser(tenant.slug, sub))
    if (isThere === undefined) throw noUser(sub)
    await store.setUserDisabled(tenant.slug, sub, disabled)
    if (disabled) await store.endSessions(tenant.slug, sub)
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
