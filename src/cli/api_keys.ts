import type { Administration } from '../compose/administration.ts'
import { registrationSchema } from '../config/client.ts'
import { parseValue } from '../config/document.ts'
import { mayHaveApiKeys, newApiKey, type KeyHolder } from '../endpoint/authz/api_key.ts'
import type { AuditEvent } from '../platform/audit.ts'
import { unixSeconds } from '../platform/clock.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { say, showTime, withAdministration } from './administration.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options, wordAndOptions } from './options.ts'

const DAY_SECONDS = 86_400
const MAX_DAYS = 3_650
const place = { config: 'required', tenant: 'optional' } as const

/** `lumo-broker api-keys add|list|remove`: keys by which clients ask for permissions, while the authority runs. */
export function apiKeys(io: Io): Promise<ExitCode> {
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
      throw new UsageFault('api-keys takes: add, list, remove ID')
  }
}

async function add(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, {
    ...place,
    client: 'required',
    name: 'required',
    days: 'optional',
  })
  const name = nameOf(given.name)
  const days = daysOf(given.days)
  return withAdministration(given, io, async (administration) => {
    const { tenant, store, audit, surroundings } = administration
    const { client: clientId } = given
    await refuseUnfit(clientId, administration)
    const { id, text, hash } = newApiKey(tenant.slug, surroundings.random)
    const createdAt = unixSeconds(surroundings.clock)
    const expiresAt = days === undefined ? undefined : createdAt + days * DAY_SECONDS
    await store.addApiKey({ tenant: tenant.slug, id, clientId, hash, name, createdAt, expiresAt })
    await audit.record(eventOf('api_key.added', tenant.slug, id, clientId))
    say(io, `id: ${id}`)
    // Only here and only now: the store has its hash.
    say(io, `api_key: ${text}`)
    return 0
  })
}

/** Printed later, in lists: nothing in it may move the cursor of a terminal or begin a line. */
function nameOf(name: string): string {
  if (/^[^\p{C}\p{Zl}\p{Zp}]{1,100}$/u.test(name)) return name
  throw new UsageFault('--name must have 1 to 100 characters that can be printed, in one line')
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const days = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : MAX_DAYS + 1
  if (days <= MAX_DAYS) return days
  throw new UsageFault(`--days must be a number from 1 to ${String(MAX_DAYS)}`)
}

async function refuseUnfit(id: string, administration: Administration): Promise<void> {
  const client = await registrationOf(id, administration)
  if (!client) {
    throw new OperatorFault(`there is no client ${id}: register it first, by clients add`)
  }
  if (mayHaveApiKeys(client)) return
  throw new OperatorFault(
    client.dpopBound
      ? `${id} has dpopBound, and an API key is bound to nothing: it has to ask with its tokens`
      : `${id} has no client_credentials, so nothing to ask with for itself: give it that grant type`,
  )
}

async function registrationOf(
  id: string,
  { tenant, policy, clientsOfFiles, store }: Administration,
): Promise<KeyHolder | undefined> {
  if ((await policy()).names(id)) {
    throw new OperatorFault(`${id} is an agent of the trust policy: it has proofs, and no API keys`)
  }
  const known = [...tenant.clients, ...(await clientsOfFiles())].find((client) => client.id === id)
  if (known) return known
  const record = await store.client(tenant.slug, id)
  return record && parseValue(JSON.parse(record.registration), registrationSchema)
}

function list(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async (administration) => {
    const { tenant, store, surroundings } = administration
    const now = unixSeconds(surroundings.clock)
    for (const { id, clientId, name, createdAt, expiresAt } of await store.apiKeys(tenant.slug)) {
      const until = endOf(expiresAt, now)
      say(io, `${id}  ${clientId}  ${showTime(createdAt)}  ${until}  ${name}`)
    }
    return 0
  })
}

function endOf(expiresAt: number | undefined, now: number): string {
  if (expiresAt === undefined) return 'does not expire'
  return `${expiresAt <= now ? 'expired' : 'until'} ${showTime(expiresAt)}`
}

function remove(io: Io): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'id', place)
  return withAdministration(given, io, async ({ tenant, store, audit }) => {
    const { word: id } = given
    const key = await store.apiKey(tenant.slug, id)
    // Whoever pastes the key itself here must not find it in the log of their terminal once more.
    if (!key) throw new OperatorFault('there is no such API key: api-keys list shows their ids')
    await store.removeApiKey(tenant.slug, id)
    await audit.record(eventOf('api_key.removed', tenant.slug, id, key.clientId))
    say(io, `${id} is removed`)
    return 0
  })
}

/** The id of a key stands where `audit show` looks for ids. Never the key. */
function eventOf(
  event: 'api_key.added' | 'api_key.removed',
  tenant: string,
  id: string,
  clientId: string,
): AuditEvent {
  return { event, tenant, outcome: 'success', client_id: clientId, jti: id }
}
