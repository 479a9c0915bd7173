import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SealFault } from '../../src/endpoint/sealing.ts'
import { SigningKeyFault } from '../../src/endpoint/signer.ts'
import { FakeClock } from '../fakes/clock.ts'
import {
  client,
  credentials,
  newFolder,
  runAuthority,
  type AuthorityWish,
  type Json,
  type TestAuthority,
} from '../fakes/running_authority.ts'

const clock = new FakeClock()
let folder: string

beforeEach(async () => {
  folder = await newFolder()
  await writeFile(join(folder, 'key-encryption'), randomBytes(32).toString('base64'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

const start = (algorithm = 'ES256'): Promise<TestAuthority> => {
  const tenant: Json = { slug: 'acme-corp', algorithm, clients: [client('reporter')] }
  const wish: AuthorityWish = { folder, clock, tenants: () => [tenant] }
  return runAuthority(wish)
}

async function jwksOf(authority: TestAuthority): Promise<JSONWebKeySet> {
  const { json } = await authority.send({ path: '/t/acme-corp/api/v1/.well-known/jwks.json' })
  return json as unknown as JSONWebKeySet
}

async function tokenOf(authority: TestAuthority): Promise<string> {
  return String((await authority.post(credentials())).json['access_token'])
}

function verify(token: string, keys: JSONWebKeySet) {
  return jwtVerify(token, createLocalJWKSet(keys), { currentDate: new Date(clock.wall()) })
}

test('what was signed before a restart is verified after it', async () => {
  const before = await start()
  const [token, keys] = [await tokenOf(before), await jwksOf(before)]
  await before.stop()
  const after = await start()
  expect(await jwksOf(after)).toEqual(keys)
  expect((await verify(token, await jwksOf(after))).payload.sub).toBe('reporter')
  expect((await verify(await tokenOf(after), keys)).payload.sub).toBe('reporter')
  await after.stop()
})

test('two that start at once over one store sign with one key', async () => {
  const [one, other] = await Promise.all([start(), start()])
  const keys = await jwksOf(one)
  expect(keys.keys).toHaveLength(1)
  expect(await jwksOf(other)).toEqual(keys)
  expect((await verify(await tokenOf(other), keys)).payload.sub).toBe('reporter')
  await one.stop()
  await other.stop()
})

test('another encryption key ends the start with a sentence, and the right one starts again', async () => {
  const first = await start()
  const keys = await jwksOf(first)
  await first.stop()
  const file = join(folder, 'key-encryption')
  const right = await readFile(file)
  await writeFile(file, randomBytes(32).toString('base64'))
  await expect(start()).rejects.toThrow(
    new SealFault('a signing key cannot be decrypted: is this the key file it was stored with?'),
  )
  await writeFile(file, right)
  const again = await start()
  expect(await jwksOf(again)).toEqual(keys)
  await again.stop()
})

test('another algorithm ends the start with a sentence, and the first one starts again', async () => {
  const first = await start('ES256')
  const keys = await jwksOf(first)
  await first.stop()
  await expect(start('RS256')).rejects.toThrow(
    new SigningKeyFault(
      'tenant acme-corp has no RS256 signing key: its keys are ES256; lumo-broker keys rotate makes one',
    ),
  )
  const again = await start('ES256')
  expect(await jwksOf(again)).toEqual(keys)
  await again.stop()
})
