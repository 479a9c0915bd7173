import type { Administration } from '../compose/administration.ts'
import { Revocations } from '../endpoint/revocations.ts'
import { isScopeToken } from '../oauth/scope.ts'
import { unixSeconds } from '../platform/clock.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { Agent } from '../policy/policy.ts'
import { say, showTime, withAdministration } from './administration.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options } from './options.ts'

const place = { config: 'required', tenant: 'optional' } as const

/** `lumo-broker grants add|list|remove`: what users allowed agents to do for them. */
export function grants(io: Io): Promise<ExitCode> {
  const [verb, ...rest] = io.arguments
  const within = { ...io, arguments: rest }
  switch (verb) {
    case 'add':
      return add(within)
    case 'list':
      return list(within)
    case 'remove':
      return remove(within)
    default:
      throw new UsageFault('grants takes: add, list, remove')
  }
}

function add(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, {
    ...place,
    user: 'required',
    agent: 'required',
    scope: 'repeated',
  })
  const added = [...new Set(given.scope.flatMap((text) => text.split(' ')))]
  if (added.length === 0 || !added.every(isScopeToken)) {
    throw new UsageFault('--scope must be given, with scope values')
  }
  return withAdministration(given, io, async (administration) => {
    const { tenant, store, audit, surroundings } = administration
    if (!(await isUser(given.user, administration))) {
      throw new OperatorFault(`there is no user ${given.user}`)
    }
    const agent = await clientIdOf(given.agent, administration)
    const createdAt = unixSeconds(surroundings.clock)
    const before = await store.userGrant(tenant.slug, given.user, agent)
    const scopes = [...new Set([...(before?.scopes ?? []), ...added])]
    await store.putUserGrant({ tenant: tenant.slug, user: given.user, agent, scopes, createdAt })
    await audit.record({
      event: 'user_grant.added',
      tenant: tenant.slug,
      outcome: 'success',
      subject: given.user,
      client_id: agent,
      scope_granted: scopes.join(' '),
    })
    say(io, `${given.user} allows ${agent}: ${scopes.join(' ')}`)
    return 0
  })
}

/** Of the configuration, of the store, or of another provider. */
async function isUser(sub: string, { tenant, store }: Administration): Promise<boolean> {
  return (
    tenant.users.some((user) => user.sub === sub) ||
    (await store.localUser(tenant.slug, sub)) !== undefined ||
    (await store.upstreamUser(tenant.slug, sub)) !== undefined
  )
}

/** An agent by its name, or whoever may act for others by their `client_id`. */
async function clientIdOf(
  name: string,
  { tenant, policy, store }: Administration,
): Promise<string> {
  const agent = await agentOf(name, policy)
  if (agent) return agent.clientId
  const known =
    tenant.clients.some(({ id }) => id === name) || (await store.client(tenant.slug, name))
  if (known) return name
  throw new OperatorFault(`there is no agent or client ${name}`)
}

async function agentOf(
  name: string,
  readPolicy: Administration['policy'],
): Promise<Agent | undefined> {
  const policy = await readPolicy()
  return policy.named(name) ?? policy.ofClient(name)
}

function list(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async (administration) => {
    const { tenant, store, surroundings } = administration
    for (const { user, agent, scopes, createdAt } of await store.userGrants(tenant.slug)) {
      say(io, `${user}  ${agent}  ${scopes.join(' ')}  ${showTime(createdAt)}`)
    }
    const open = await store.approvals(tenant.slug, unixSeconds(surroundings.clock))
    for (const { user, agent, scopes, expiresAt } of open) {
      say(io, `${user}  ${agent}  ${scopes.join(' ')}  asked for, until ${showTime(expiresAt)}`)
    }
    return 0
  })
}

function remove(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, { ...place, user: 'required', agent: 'required' })
  return withAdministration(given, io, async (administration) => {
    const { tenant, policy, store, audit, surroundings } = administration
    const { clock } = surroundings
    const client = (await agentOf(given.agent, policy))?.clientId ?? given.agent
    if (!(await store.removeUserGrant(tenant.slug, given.user, client))) {
      throw new OperatorFault(`${given.user} allows ${client} nothing`)
    }
    await new Revocations({ tenant: tenant.slug, store, clock }).endPair(given.user, client)
    await audit.record({
      event: 'user_grant.removed',
      tenant: tenant.slug,
      outcome: 'success',
      subject: given.user,
      client_id: client,
    })
    say(
      io,
      `${given.user} no longer allows ${client} anything. Tokens by which it acts for them have`,
    )
    say(io, 'ended, but for whoever verifies them offline: there they are good until they expire.')
    return 0
  })
}
