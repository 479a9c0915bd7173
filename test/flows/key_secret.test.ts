import { expect, test } from 'vitest'
import { readOrMake } from '../../src/compose/key_secret.ts'
import { OperatorFault } from '../../src/platform/operator_fault.ts'
import { systemRandom } from '../../src/platform/random.ts'
import {
  Outage,
  type KeptSecret,
  type Writing,
} from '../../src/webhook/certificates/cluster_objects.ts'

type Data = Readonly<Record<string, string>>

/** One Secret of an API server; somebody else may be faster. */
class OneSecret {
  data: Data | undefined
  outage: Outage | undefined
  /** Written by another process between our reading and our writing. */
  rivals: Data[] = []
  version = 1
  writes = 0

  constructor(data: Data | undefined) {
    this.data = data
  }

  readSecret(): Promise<KeptSecret | undefined | Outage> {
    if (this.outage) return Promise.resolve(this.outage)
    return Promise.resolve(this.data && { data: this.data, resourceVersion: String(this.version) })
  }

  writeSecret(_name: string, data: Data, resourceVersion: string): Promise<Writing> {
    const rival = this.rivals.shift()
    if (rival) {
      this.data = rival
      this.version += 1
    }
    if (resourceVersion !== String(this.version)) return Promise.resolve('conflict')
    this.data = data
    this.version += 1
    this.writes += 1
    return Promise.resolve('written')
  }
}

const read = (secret: OneSecret) => readOrMake(secret, 'keys', systemRandom)

test('a key is made once, of 32 bytes, and is the same from then on', async () => {
  const secret = new OneSecret({})
  const made = await read(secret)
  expect(Buffer.from(made, 'base64')).toHaveLength(32)
  expect(await read(secret)).toBe(made)
  expect(secret.writes).toBe(1)
})

test('of two that begin at once, one makes it and the other takes it', async () => {
  const secret = new OneSecret({})
  secret.rivals = [{ key: 'theirs' }]
  expect(await read(secret)).toBe('theirs')
  expect(secret.writes).toBe(0)
})

test.each<[string, OneSecret, string]>([
  ['no Secret', new OneSecret(undefined), 'is not there'],
  ['what is of somebody else', new OneSecret({ password: 'x' }), 'has no member `key`, and others'],
  [
    'an API server that is out',
    Object.assign(new OneSecret({}), { outage: new Outage('it did not answer') }),
    'cannot be read: it did not answer',
  ],
  [
    'writes without end',
    Object.assign(new OneSecret({}), { rivals: [{}, {}, {}] }),
    'is changed by somebody else all the time',
  ],
])('with %s nothing is made', async (_name, secret, sentence) => {
  const reading = read(secret)
  await expect(reading).rejects.toThrow(OperatorFault)
  await expect(reading).rejects.toThrow(
    `authority.keyEncryptionSecret: the Secret keys ${sentence}`,
  )
  expect(secret.writes).toBe(0)
})

test('where there is state already, an empty Secret is not filled, and its key is taken where it has one', async () => {
  const emptied = new OneSecret({})
  await expect(readOrMake(emptied, 'keys', undefined)).rejects.toThrow(
    'authority.keyEncryptionSecret: the Secret keys is empty, and the state has keys that were encrypted with what it held',
  )
  expect(emptied.writes).toBe(0)
  expect(await readOrMake(new OneSecret({ key: 'kept' }), 'keys', undefined)).toBe('kept')
})
