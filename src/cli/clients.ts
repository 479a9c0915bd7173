import { createHash } from 'node:crypto'
import type { Administration } from '../compose/administration.ts'
import type { RegistrationEntry } from '../config/client.ts'
import { unixSeconds } from '../platform/clock.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { Random } from '../platform/random.ts'
import { say, showTime, withAdministration } from './administration.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options, wordAndOptions } from './options.ts'
import { checkRegistration, readRegistration, takesSecret } from './registration.ts'

const SECRET_BYTES = 32
const place = { config: 'required', tenant: 'optional' } as const

/** `lumo-broker clients add|list|rotate-secret|remove`: registered clients, while the authority runs. */
export function clients(io: Io): Promise<ExitCode> {
  const [verb, ...rest] = io.arguments
  const within = { ...io, arguments: rest }
  switch (verb) {
    case 'add':
      return add(within)
    case 'list':
      return list(within)
    case 'rotate-secret':
      return rotateSecret(within)
    case 'remove':
      return remove(within)
    default:
      throw new UsageFault('clients takes: add, list, rotate-secret ID, remove ID')
  }
}

async function add(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, {
    ...place,
    id: 'optional',
    registration: 'optional',
    'grant-type': 'repeated',
    scope: 'repeated',
    'redirect-uri': 'repeated',
    public: 'flag',
  })
  const entry = await readRegistration(given, io)
  return withAdministration(given, io, async (administration) => {
    const { tenant, store, audit, surroundings } = administration
    const id = given.id ?? `client_${surroundings.random.bytes(8).toString('hex')}`
    checkRegistration(entry, tenant)
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id)) {
      throw new OperatorFault('--id is no client id')
    }
    await refuseTaken(id, administration)
    const secret = takesSecret(entry) ? newSecret(surroundings.random) : undefined
    const added = await store.addClient({
      tenant: tenant.slug,
      id,
      registration: JSON.stringify(entry),
      secretHashes: secret === undefined ? [] : [hashOf(secret)],
      createdAt: unixSeconds(surroundings.clock),
    })
    if (!added) throw new OperatorFault(`${id} is taken by another client`)
    await audit.record({
      event: 'client.added',
      tenant: tenant.slug,
      outcome: 'success',
      client_id: id,
    })
    say(io, `client_id: ${id}`)
    // Only here and only now: the store has its hash.
    if (secret !== undefined) say(io, `client_secret: ${secret}`)
    return 0
  })
}

/** Ids never mean two things within a tenant. */
async function refuseTaken(
  id: string,
  { tenant, policy, clientsOfFiles }: Administration,
): Promise<void> {
  const agents = await policy()
  const known = [...tenant.clients, ...(await clientsOfFiles())]
  const owner = known.some((client) => client.id === id)
    ? 'a client of the configuration'
    : tenant.users.some(({ sub }) => sub === id)
      ? 'a user'
      : agents.names(id)
        ? 'an agent of the trust policy'
        : undefined
  if (owner !== undefined) throw new OperatorFault(`${id} is taken by ${owner}`)
}

function list(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async (administration) => {
    const { tenant, store, clientsOfFiles } = administration
    for (const { id, methods, grantTypes } of [...tenant.clients, ...(await clientsOfFiles())]) {
      say(io, `${id}  ${methods.join(',')}  ${grantTypes.join(',')}  configuration`)
    }
    for (const { id, registration, createdAt } of await store.clients(tenant.slug)) {
      const { methods, grantTypes } = JSON.parse(registration) as RegistrationEntry
      say(io, `${id}  ${methods.join(',')}  ${grantTypes.join(',')}  ${showTime(createdAt)}`)
    }
    return 0
  })
}

function rotateSecret(io: Io): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'client id', place)
  return withAdministration(given, io, async (administration) => {
    const { tenant, store, audit, surroundings } = administration
    const { word: id } = given
    const record = await findAdded(id, administration)
    if (record.secretHashes.length === 0) throw new OperatorFault(`${id} has no secret`)
    const secret = newSecret(surroundings.random)
    if (!(await store.rotateClientSecret(tenant.slug, id, hashOf(secret)))) throw noClient(id)
    await audit.record({
      event: 'client.secret_rotated',
      tenant: tenant.slug,
      outcome: 'success',
      client_id: id,
    })
    say(io, `client_secret: ${secret}`)
    say(io, 'The secret before it stays good until the next rotation.')
    return 0
  })
}

function remove(io: Io): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'client id', place)
  return withAdministration(given, io, async (administration) => {
    const { tenant, store, audit, revocations } = administration
    const { word: id } = given
    await findAdded(id, administration)
    if (!(await store.removeClient(tenant.slug, id))) throw noClient(id)
    // Nobody's tokens are good for nothing already. Under the same id somebody else may be added later, and would get them.
    await revocations.endUntilNow([{ kind: 'client', value: id }])
    for (const { user, agent } of await store.userGrants(tenant.slug)) {
      if (agent === id) await store.removeUserGrant(tenant.slug, user, agent)
    }
    await store.removeConsentsTo(tenant.slug, id)
    await store.removeApprovalsBy(tenant.slug, id)
    for (const key of await store.apiKeys(tenant.slug)) {
      if (key.clientId === id) await store.removeApiKey(tenant.slug, key.id)
    }
    await audit.record({
      event: 'client.removed',
      tenant: tenant.slug,
      outcome: 'success',
      client_id: id,
    })
    say(io, `${id} is removed. Its tokens are no longer active; verifiers that work offline see`)
    say(io, 'nothing of it until they expire.')
    return 0
  })
}

async function findAdded(id: string, { tenant, store }: Administration) {
  const record = await store.client(tenant.slug, id)
  if (record) return record
  if (!tenant.clients.some((client) => client.id === id)) throw noClient(id)
  throw new OperatorFault(`${id} stands in the configuration: change it there`)
}

function noClient(id: string): OperatorFault {
  return new OperatorFault(`there is no client ${id}`)
}

function newSecret(random: Random): string {
  return random.bytes(SECRET_BYTES).toString('base64url')
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
