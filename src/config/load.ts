import Type from 'typebox'
import { parseAddress } from './address.ts'
import { resolveAuthority } from './authority.ts'
import { resolveBroker } from './broker.ts'
import { checkListeners } from './listeners.ts'
import type { Config } from './config.ts'
import { DocumentFault, examine, parseYaml, type Fault, type ReportFault } from './document.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { blameVariable, overlayEnvironment, blameWithin, type Environment } from './environment.ts'
import { configSchema, type ConfigFile } from './schema.ts'
import { checkSinkFiles } from './sink_files.ts'
import { resolveWebhook } from './webhook.ts'

const anyDocument = Type.Record(Type.String(), Type.Unknown())

/**
 * Turns the text of a configuration file and the environment into what the program runs on.
 * @throws DocumentFault with every fault and its path
 */
export function loadConfig(text: string, environment: Environment): Config {
  return resolveConfig(parseYaml(text, anyDocument), environment)
}

/**
 * The same for a document that is parsed already.
 * @throws DocumentFault
 */
export function resolveConfig(document: unknown, environment: Environment): Config {
  const faults: Fault[] = []
  const overlaid = overlayEnvironment(document, environment, faults)
  const { given } = overlaid
  const { filled: shared, faults: shapeFaults } = examine(overlaid.document, configSchema)
  faults.push(...shapeFaults.map((fault) => blameVariable(fault, given)))
  // Filled-in objects are the schema's own; what will be frozen has to be a copy.
  const filled = shapeFaults.length === 0 ? structuredClone(shared) : shared
  const config = resolve(
    soundSections(filled as ConfigFile, shapeFaults),
    isJsonObject(filled) ? Object.keys(filled) : [],
    (path, message) => {
      faults.push(blameWithin({ path, message }, given))
    },
  )
  if (faults.length > 0) throw new DocumentFault(faults)
  return deepFreeze(config)
}

/** Freezes what is ours, plain objects and arrays; a URL or a Buffer cannot be. */
function deepFreeze<T>(value: T): T {
  const isPlain = Array.isArray(value) || isJsonObject(value)
  if (!isPlain || value instanceof URL || ArrayBuffer.isView(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

/**
 * The sections that have the shape of the schema. The rules between settings are tried on those even when another section
 * is broken, so that one run reports as much as it can.
 */
function soundSections(file: ConfigFile, faults: readonly Fault[]): Partial<ConfigFile> {
  const broken = new Set(faults.map(({ path }) => /^[^.[]*/.exec(path)?.[0] ?? ''))
  if (broken.has('')) return {}
  return Object.fromEntries(Object.entries(file).filter(([section]) => !broken.has(section)))
}

function resolve(
  file: Partial<ConfigFile>,
  sections: readonly string[],
  fault: ReportFault,
): Config {
  if (file.roles) checkRoles(file.roles, sections, fault)
  const listen = parseAddress(file.operations?.listen ?? '')
  if (file.operations && !listen) fault('operations.listen', 'must be an IP address and a port')
  const authority = file.authority && resolveAuthority(file.authority, fault)
  const broker =
    file.broker && file.roles?.includes('broker') !== false
      ? resolveBroker(file.broker, authority, file.roles ?? [], fault)
      : undefined
  const webhook = file.webhook && resolveWebhook(file.webhook, fault)
  checkListeners({ operations: listen, authority, broker, webhook }, fault)
  if (broker) checkSinkFiles(broker, authority, fault)
  return {
    log: file.log ?? { level: 'info', format: 'auto' },
    operations: { listen: listen ?? { host: '::', port: 0 } },
    authority,
    broker,
    webhook,
  }
}

function checkRoles(
  roles: ConfigFile['roles'],
  sections: readonly string[],
  fault: ReportFault,
): void {
  for (const role of ['authority', 'broker', 'webhook'] as const) {
    const wanted = roles.includes(role)
    const given = sections.includes(role)
    if (wanted && !given) fault(role, `must be given with the role ${role}`)
    if (!wanted && given) fault(role, `stands here without the role ${role}`)
  }
}
