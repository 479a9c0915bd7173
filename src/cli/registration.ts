import { resolve } from 'node:path'
import { registrationFaults, registrationSchema, type RegistrationEntry } from '../config/client.ts'
import type { TenantConfig } from '../config/config.ts'
import { DocumentFault, parseValue, parseYaml, type Fault } from '../config/document.ts'
import { proofRuleFaults } from '../config/proof_rule.ts'
import { kindProven } from '../config/provider/config.ts'
import { systemFiles } from '../platform/files.ts'
import { UsageFault, type Io } from './io.ts'
import { MAX_CONFIG_BYTES } from './config_file.ts'

export interface RegistrationOptions {
  readonly registration: string | undefined
  readonly 'grant-type': readonly string[]
  readonly scope: readonly string[]
  readonly 'redirect-uri': readonly string[]
  readonly public: boolean
}

/**
 * What a client is to be registered as: a file, or options for what is common.
 * @throws DocumentFault, UsageFault
 */
export async function readRegistration(
  given: RegistrationOptions,
  io: Io,
): Promise<RegistrationEntry> {
  const { registration: file } = given
  if (file === undefined) return parseValue(fromOptions(given), registrationSchema)
  const lists = [given['grant-type'], given.scope, given['redirect-uri']]
  if (given.public || lists.some((list) => list.length > 0)) {
    throw new UsageFault('--registration says it all: it stands without the options for the same')
  }
  const bytes = await systemFiles.read(resolve(io.workingFolder, file), MAX_CONFIG_BYTES)
  return parseYaml(bytes.toString('utf8'), registrationSchema)
}

function fromOptions(given: RegistrationOptions): object {
  const grantTypes = given['grant-type']
  return {
    ...(given.public && { methods: ['none'] }),
    ...(grantTypes.length > 0 && { grantTypes }),
    redirectUris: given['redirect-uri'],
    grants: given.scope.length > 0 ? [{ scopes: given.scope }] : [],
  }
}

/** Whether it will authenticate by a secret, which is then the program's to make. */
export function takesSecret({ methods }: RegistrationEntry): boolean {
  return methods.some((method) => method.startsWith('client_secret_'))
}

/**
 * What the shape alone does not say.
 * @throws DocumentFault
 */
export function checkRegistration(entry: RegistrationEntry, { providers }: TenantConfig): void {
  const faults: Fault[] = [...registrationFaults(entry, '', takesSecret(entry))]
  const { proof } = entry
  if (proof) {
    const provider = providers.find(({ name }) => name === proof.provider)
    if (!provider) {
      faults.push({ path: 'proof.provider', message: 'the tenant has no provider of this name' })
    }
    faults.push(...proofRuleFaults(proof, provider && kindProven(provider), 'proof'))
  }
  entry.jwks?.keys.forEach((jwk, index) => {
    // The store holds registrations in the clear: a stolen copy of it would speak as the client.
    if ('d' in jwk || 'k' in jwk) {
      faults.push({
        path: `jwks.keys[${String(index)}]`,
        message: 'is a private key: only its public part belongs here',
      })
    }
  })
  if (faults.length > 0) throw new DocumentFault(faults)
}
