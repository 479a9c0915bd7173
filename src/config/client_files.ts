import Type from 'typebox'
import {
  clientOf,
  clientSchema,
  registrationFaults,
  type ClientConfig,
  type ClientEntry,
} from './client.ts'
import type { TenantConfig } from './config.ts'
import type { WrittenDocument } from './documents_in.ts'
import { DocumentFault, type Fault } from './document.ts'
import { parseEntries } from './entries.ts'
import { proofRuleFaults, type ProvenKind } from './proof_rule.ts'
import { kindProven } from './provider/config.ts'

/** Clients of one tenant, all files together. */
export const MAX_CLIENTS = 1_000

export const clientFileSchema = Type.Object(
  {
    clients: Type.Array(clientSchema, {
      default: [],
      maxItems: MAX_CLIENTS,
      description: 'Registered clients.',
    }),
  },
  { additionalProperties: false, description: 'Registered clients of a tenant.' },
)

const entryList = { list: 'clients', calledBy: 'id' }

/**
 * The clients of the files at `authority.tenants[].clientFiles`. An id stands once: neither in two files, nor for a client or a
 * user of the configuration. Agents of the trust policy, which changes on its own, are looked at when a client comes.
 * @throws DocumentFault
 */
export function parseClientFiles(
  files: readonly WrittenDocument[],
  { providers, clients, users }: Pick<TenantConfig, 'providers' | 'clients' | 'users'>,
): readonly ClientConfig[] {
  const kinds = new Map(providers.map((provider) => [provider.name, kindProven(provider)]))
  const taken = new Set([...clients.map(({ id }) => id), ...users.map(({ sub }) => sub)])
  const faults: Fault[] = []
  const all: ClientConfig[] = []
  for (const file of files) {
    const { clients: entries } = parseEntries(file, clientFileSchema, entryList)
    entries.forEach((entry, index) => {
      const place = `${file.path}: clients[${String(index)}]`
      const own = [...clientFaults(entry, place, kinds)]
      if (taken.has(entry.id)) {
        own.push({ path: `${place}.id`, message: 'another client or a user has this id' })
      }
      faults.push(...own.map((fault) => ({ ...fault, entry: entry.id })))
      taken.add(entry.id)
      all.push(clientOf(entry))
    })
  }
  if (all.length > MAX_CLIENTS) {
    faults.push({ path: '', message: `there are more than ${String(MAX_CLIENTS)} clients` })
  }
  if (faults.length > 0) throw new DocumentFault(faults)
  return all
}

/** What is wrong with a client, and the schema cannot say. `kinds`: what the tenant's providers prove, by name. */
export function clientFaults(
  entry: ClientEntry,
  path: string,
  kinds: ReadonlyMap<string, ProvenKind>,
): readonly Fault[] {
  const { proof } = entry
  const kind = proof && kinds.get(proof.provider)
  return [
    ...(proof && kind === undefined
      ? [{ path: `${path}.proof.provider`, message: 'the tenant has no provider of this name' }]
      : []),
    ...registrationFaults(entry, path, entry.secretHashes.length > 0),
    ...(proof ? proofRuleFaults(proof, kind, `${path}.proof`) : []),
  ]
}
