import type { KeyEncryptionConfig } from '../config/config.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { Random } from '../platform/random.ts'
import { Outage, type ClusterObjects } from '../webhook/certificates/cluster_objects.ts'
import type { Surroundings } from './surroundings.ts'

const KEY_BYTES = 32
/** Of which all but the first follow another process's write. */
const MAX_ATTEMPTS = 3

/**
 * The key that encrypts signing keys, of a Secret that was made without one: the program that needs it makes it, once. A chart
 * that did would make another at each rendering. `mayMake`: there is no state yet.
 * @throws OperatorFault
 */
export async function keyOfSecret(
  { namespace, name }: KeyEncryptionConfig & { readonly in: 'secret' },
  mayMake: boolean,
  surroundings: Pick<Surroundings, 'http' | 'clock' | 'random'>,
): Promise<string> {
  const { openClusterObjects } = await import('./cluster_objects.ts')
  const objects = await openClusterObjects({ namespace, lease: '' }, surroundings)
  return readOrMake(objects, name, mayMake ? surroundings.random : undefined)
}

/**
 * Without `random` none is made: the state has keys that another one encrypted, and a Secret that was emptied since, as a forced
 * replacement does, must not be filled with one that opens none of them.
 * @throws OperatorFault
 */
export async function readOrMake(
  objects: Pick<ClusterObjects, 'readSecret' | 'writeSecret'>,
  name: string,
  random: Random | undefined,
): Promise<string> {
  const fault = (what: string) =>
    new OperatorFault(`authority.keyEncryptionSecret: the Secret ${name} ${what}`)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const secret = await objects.readSecret(name)
    if (secret instanceof Outage) throw fault(`cannot be read: ${secret.reason}`)
    if (!secret) throw fault('is not there')
    const { key } = secret.data
    if (key !== undefined && key !== '') return key
    // One that holds something else belongs to somebody else.
    if (Object.keys(secret.data).length > 0) throw fault('has no member `key`, and others')
    if (!random) {
      throw fault(
        'is empty, and the state has keys that were encrypted with what it held: restore it from a backup',
      )
    }
    const made = random.bytes(KEY_BYTES).toString('base64')
    const written = await objects.writeSecret(name, { key: made }, secret.resourceVersion)
    if (written === 'written') return made
    if (written instanceof Outage) throw fault(`cannot be written: ${written.reason}`)
  }
  throw fault('is changed by somebody else all the time')
}
