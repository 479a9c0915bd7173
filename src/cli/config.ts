import { readClients, readPolicy } from '../compose/administration.ts'
import { MAX_DOCUMENT_BYTES } from '../compose/tenant.ts'
import { DocumentFault, showFault, type Fault } from '../config/document.ts'
import { documentsIn } from '../config/documents_in.ts'
import { loadConfig } from '../config/load.ts'
import type { BrokerConfig, TenantConfig } from '../config/config.ts'
import { configSchema } from '../config/schema.ts'
import { FileFault, systemFiles } from '../platform/files.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { contentsOf } from '../platform/watched.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { LocalPolicy } from '../policy/local/local_policy.ts'
import { overlapsOf } from '../policy/overlap.ts'
import { compileRoles } from '../policy/permissions/roles.ts'
import { policySchema } from '../policy/schema.ts'
import { unreachableOf } from '../policy/unreachable.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { configText } from './config_file.ts'

/** `lumo-broker config check FILE` and `lumo-broker config schema [policy]`. */
export async function config(io: Io): Promise<ExitCode> {
  const [verb, argument, ...more] = io.arguments
  if (verb === 'check' && argument !== undefined && more.length === 0) return check(argument, io)
  if (verb === 'schema' && more.length === 0) {
    if (argument === undefined) return printSchema(configSchema, io)
    if (argument === 'policy') return printSchema(policySchema, io)
  }
  throw new UsageFault('config takes: check FILE, schema, or schema policy')
}

function printSchema(schema: object, io: Io): ExitCode {
  const dialect = 'https://json-schema.org/draft/2020-12/schema'
  io.stdout.write(`${JSON.stringify({ $schema: dialect, ...asWritten(schema) }, null, 2)}\n`)
  return 0
}

/**
 * The schema of what a person writes: what has a default may be left out. (The same schema types the document after the
 * defaults were filled in, where it may not.)
 */
function asWritten(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_member, node: unknown) => {
    if (!isJsonObject(node) || !Array.isArray(node['required'])) return node
    const properties = node['properties'] as Readonly<Record<string, object>>
    const required = (node['required'] as readonly string[]).filter(
      (name) => !('default' in (properties[name] ?? {})),
    )
    return { ...node, required }
  }) as object
}

/** Reads the file as `run` would, and the policies that it names. */
async function check(file: string, io: Io): Promise<ExitCode> {
  const faults: Fault[] = []
  const warnings: Fault[] = []
  try {
    const { authority, broker } = loadConfig(await configText(file, io), io.environment)
    const named = [
      ...(authority?.tenants ?? []).flatMap((tenant) => [
        findingsOf(() => trustFindings(tenant)),
        findingsOf(() => clientFindings(tenant)),
        findingsOf(() => roleFindings(tenant)),
      ]),
      ...(broker ? [findingsOf(() => localFindings(broker))] : []),
    ]
    for (const found of await Promise.all(named)) {
      faults.push(...found.faults)
      warnings.push(...found.warnings)
    }
  } catch (error) {
    if (error instanceof DocumentFault) faults.push(...error.faults)
    else if (error instanceof FileFault) faults.push({ path: '', message: error.message })
    else throw error
  }
  for (const warning of warnings) io.stderr.write(`${file}: warning: ${showFault(warning)}\n`)
  for (const fault of faults) io.stderr.write(`${file}: ${showFault(fault)}\n`)
  if (faults.length > 0) return 1
  io.stdout.write(`${file}: no faults\n`)
  return 0
}

/** What a policy must not be, and what it may be and should not. */
interface Findings {
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
}

const nothing: Findings = { faults: [], warnings: [] }

async function findingsOf(look: () => Promise<Findings>): Promise<Findings> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof DocumentFault) return { faults: error.faults, warnings: [] }
    if (error instanceof OperatorFault) {
      return { faults: [{ path: '', message: error.message }], warnings: [] }
    }
    throw error
  }
}

async function clientFindings(tenant: TenantConfig): Promise<Findings> {
  await readClients(tenant, { files: systemFiles })
  return nothing
}

async function roleFindings({ roles, users }: TenantConfig): Promise<Findings> {
  if (roles === undefined) return nothing
  const contents = await contentsOf(roles, MAX_DOCUMENT_BYTES, systemFiles)
  compileRoles(documentsIn(roles, contents, 'role'), users)
  return nothing
}

async function trustFindings(tenant: TenantConfig): Promise<Findings> {
  const { policy, conflicts } = await readPolicy(tenant, { files: systemFiles })
  const { agents } = policy
  return {
    faults: conflicts,
    warnings: [...unreachableOf(agents, tenant.providers), ...overlapsOf(agents)],
  }
}

/** As long as a running broker takes. */
const MAX_LOCAL_POLICY_BYTES = 1_048_576

async function localFindings({ policy }: BrokerConfig): Promise<Findings> {
  if (policy === undefined) return nothing
  LocalPolicy.parse(await contentsOf(policy, MAX_LOCAL_POLICY_BYTES, systemFiles))
  return nothing
}
