import { expect, test } from 'vitest'
import { Passwords } from '../../../src/endpoint/sign_in/password.ts'
import { systemRandom } from '../../../src/platform/random.ts'

const passwords = new Passwords(systemRandom)
const secret = 'correct horse battery staple'

test('a password is right, another is wrong, and the same one is never kept in the same way', async () => {
  const [one, two] = [await passwords.hash(secret), await passwords.hash(secret)]
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(one).not.toBe(two)
  expect(await passwords.verify(secret, one)).toBe('right')
  expect(await passwords.verify(secret, two)).toBe('right')
  expect(await passwords.verify('Correct horse battery staple', one)).toBe('wrong')
})

test('of nobody every password is wrong', async () => {
  expect(await passwords.verify(secret, undefined)).toBe('wrong')
})

test('what is kept in another form is nobody’s', async () => {
  for (const kept of ['', secret, '$argon2i$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$dGFn']) {
    expect(await passwords.verify(secret, kept)).toBe('wrong')
  }
})

test('an umlaut is one letter, however it was typed', async () => {
  const kept = await passwords.hash('schöne lange Wörter')
  expect(await passwords.verify('scho\u0308ne lange Wo\u0308rter', kept)).toBe('right')
})

/** RFC 9106 gives no vector for this cost; this one is of the reference implementation's command `argon2`. */
test('what other programs wrote is read', async () => {
  const { argon2Sync } = await import('node:crypto')
  const nonce = Buffer.from('saltsaltsaltsalt')
  const tag = argon2Sync('argon2id', {
    message: Buffer.from(secret),
    nonce,
    memory: 64,
    passes: 3,
    parallelism: 1,
    tagLength: 32,
  })
  const bare = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  const kept = `$argon2id$v=19$m=64,t=3,p=1$${bare(nonce)}$${bare(Buffer.from(tag))}`
  expect(await passwords.verify(secret, kept)).toBe('right')
})

test('more than can wait are sent away', async () => {
  const kept = await passwords.hash(secret)
  const verdicts = await Promise.all(
    Array.from({ length: 60 }, () => passwords.verify(secret, kept)),
  )
  expect(verdicts.filter((verdict) => verdict === 'busy').length).toBeGreaterThan(0)
  expect(verdicts.filter((verdict) => verdict === 'wrong')).toEqual([])
  expect(await passwords.verify(secret, kept)).toBe('right')
})
