import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, type JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  signatureAlgorithms,
  type SignatureAlgorithm,
} from '../../../src/oauth/signature_algorithms.ts'
import { KeySet, KeySetFault } from '../../../src/verifier/keys/key_set.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const k256 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const ed25519 = generateKeyPairSync('ed25519')
const ed448 = generateKeyPairSync('ed448')
const x25519 = generateKeyPairSync('x25519')

const rsaJwk = await exportJWK(rsa.publicKey)
const other = await exportJWK(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)
const named = (jwk: JWK, more: object = {}) => ({ kid: 'k', ...jwk, ...more })

/** The algorithms with which the key named `k` of these keys may be used. */
function usableFor(...keys: readonly object[]): readonly SignatureAlgorithm[] {
  const set = KeySet.from({ keys })
  return signatureAlgorithms.filter((algorithm) => set.find('k', algorithm) !== undefined)
}

const anyRsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

describe('a key suits', () => {
  const suits: readonly (readonly [name: string, key: KeyObject, algorithms: readonly string[]])[] =
    [
      ['RSA of 2048 bits: the RSA algorithms', rsa.publicKey, anyRsa],
      ['RSA of 1024 bits: none', weak.publicKey, []],
      ['P-256: ES256', p256.publicKey, ['ES256']],
      ['P-384: ES384', p384.publicKey, ['ES384']],
      ['P-521: ES512', p521.publicKey, ['ES512']],
      ['secp256k1: none', k256.publicKey, []],
      ['Ed25519: EdDSA', ed25519.publicKey, ['EdDSA']],
      ['Ed448: none', ed448.publicKey, []],
      ['X25519: none', x25519.publicKey, []],
    ]
  test.each(suits)('%s', (_, key, algorithms) => {
    expect(usableFor({ kid: 'k', ...key.export({ format: 'jwk' }) })).toEqual(algorithms)
  })
})

const readings: readonly (readonly [name: string, jwk: object, algorithms: readonly string[]])[] = [
  ['use sig', named(rsaJwk, { use: 'sig' }), anyRsa],
  ['use enc', named(rsaJwk, { use: 'enc' }), []],
  ['a use that nobody knows', named(rsaJwk, { use: 'tls' }), []],
  ['use null', named(rsaJwk, { use: null }), []],
  ['key_ops verify', named(rsaJwk, { key_ops: ['verify'] }), anyRsa],
  ['key_ops encrypt', named(rsaJwk, { key_ops: ['encrypt'] }), []],
  ['key_ops that are empty', named(rsaJwk, { key_ops: [] }), []],
  ['alg RS256', named(rsaJwk, { alg: 'RS256' }), ['RS256']],
  ['alg PS384', named(rsaJwk, { alg: 'PS384' }), ['PS384']],
  ['alg ES256 on an RSA key', named(rsaJwk, { alg: 'ES256' }), []],
  ['alg HS256 on an RSA key', named(rsaJwk, { alg: 'HS256' }), []],
  ['alg RSA-OAEP', named(rsaJwk, { alg: 'RSA-OAEP' }), []],
  ['alg none', named(rsaJwk, { alg: 'none' }), []],
  ['no kid', rsaJwk, []],
  ['an empty kid', named(rsaJwk, { kid: '' }), []],
  ['a kid that is a number', named(rsaJwk, { kid: 1 }), []],
  ['kty oct', { kid: 'k', kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }, []],
  ['a kty that nobody knows', named(rsaJwk, { kty: 'AKP' }), []],
  ['no kty', named(rsaJwk, { kty: undefined }), []],
  ['the kty of another key', named(rsaJwk, { kty: 'EC' }), []],
  ['no modulus', named(rsaJwk, { n: undefined }), []],
  ['a modulus that is no text', named(rsaJwk, { n: 1 }), []],
  ['the exponent 3', named(rsaJwk, { e: 'Aw' }), anyRsa],
  ['an exponent of 33 bits, which only costs time', named(rsaJwk, { e: 'AQAAAAE' }), []],
  ['the exponent 1, under which anybody can sign', named(rsaJwk, { e: 'AQ' }), []],
  ['the exponent 1, with zeros before it', named(rsaJwk, { e: 'AAAB' }), []],
  ['the exponent 0', named(rsaJwk, { e: 'AA' }), []],
  ['an empty exponent', named(rsaJwk, { e: '' }), []],
  ['an even exponent', named(rsaJwk, { e: 'AQAA' }), []],
  ['a curve that nobody knows', { kid: 'k', kty: 'EC', crv: 'P-512', x: 'AA', y: 'AA' }, []],
  ['a point off the curve', { kid: 'k', kty: 'EC', crv: 'P-256', x: 'AQ', y: 'AQ' }, []],
  ['a point of another curve', named(await exportJWK(p384.publicKey), { crv: 'P-256' }), []],
  ['a certificate alone', { kid: 'k', kty: 'RSA', x5c: ['AA'], x5u: 'https://x.example' }, []],
  ['its private part', named(await exportJWK(rsa.privateKey)), anyRsa],
]

describe('a key with', () => {
  test.each(readings)('%s', (_, jwk, algorithms) => {
    expect(usableFor(jwk)).toEqual(algorithms)
  })

  test('a private part is public once it is read', () => {
    const set = KeySet.from({ keys: [named(rsa.privateKey.export({ format: 'jwk' }))] })
    expect(set.find('k', 'RS256')?.type).toBe('public')
  })

  test('something odd leaves the keys beside it alone', () => {
    const odd = readings.filter(([, , algorithms]) => algorithms.length === 0)
    const keys = odd.map(([, jwk], index) => ({ ...jwk, kid: `odd-${String(index)}` }))
    expect(usableFor(...keys, named(rsaJwk))).toEqual(anyRsa)
  })
})

describe('a kid', () => {
  test('that stands twice names no key', () => {
    const set = KeySet.from({ keys: [named(rsaJwk), named(other), named(rsaJwk, { kid: 'l' })] })
    expect(set.find('k', 'RS256')).toBeUndefined()
    expect(set.find('l', 'RS256')?.equals(rsa.publicKey)).toBe(true)
    expect(set.size).toBe(1)
  })

  test('that stands three times names no key', () => {
    expect(usableFor(named(rsaJwk), named(other), named(rsaJwk))).toEqual([])
  })

  test('that stands twice for the same key names no key', () => {
    expect(usableFor(named(rsaJwk), named(rsaJwk))).toEqual([])
  })

  test('that stands twice for two algorithms names no key', () => {
    expect(usableFor(named(rsaJwk, { alg: 'RS256' }), named(other, { alg: 'RS512' }))).toEqual([])
  })

  test.each(['', 'K', 'k ', '__proto__', 'constructor'])('%o names nothing', (kid) => {
    expect(KeySet.from({ keys: [named(rsaJwk)] }).find(kid, 'RS256')).toBeUndefined()
  })

  test('of 256 letters is kept, a longer one is not', () => {
    const keys = [256, 257].map((length) => named(rsaJwk, { kid: 'k'.repeat(length) }))
    const set = KeySet.from({ keys })
    expect(set.find('k'.repeat(256), 'RS256')?.equals(rsa.publicKey)).toBe(true)
    expect(set.find('k'.repeat(257), 'RS256')).toBeUndefined()
  })
})

describe('a key set', () => {
  const text = JSON.stringify({ keys: [named(rsaJwk)] })
  const broken: readonly (readonly [name: string, text: string, message: string])[] = [
    ['that is empty', '', 'the key set cannot be read: not JSON'],
    ['that is HTML', '<html></html>', 'the key set cannot be read: not JSON'],
    ['that is cut off', text.slice(0, -1), 'the key set cannot be read: not JSON'],
    [
      'with keys twice',
      text.replace('{', '{"keys":[],'),
      'the key set cannot be read: a member stands twice',
    ],
    [
      'with kid twice',
      text.replace('"kid"', '"kid":"x","kid"'),
      'the key set cannot be read: a member stands twice',
    ],
    ['that is null', 'null', 'the key set has no member "keys"'],
    ['that is a list', '[]', 'the key set has no member "keys"'],
    ['without keys', '{}', 'the key set has no member "keys"'],
    ['with keys that are an object', '{"keys":{}}', 'the key set has no member "keys"'],
    ['with a key that is a text', '{"keys":["k"]}', 'the key set has a key that is no object'],
    ['with a key that is null', '{"keys":[null]}', 'the key set has a key that is no object'],
  ]
  test.each(broken)('%s is refused', (_, text, message) => {
    expect(() => KeySet.parse(text)).toThrow(new KeySetFault(message))
  })

  test('of a hundred keys is fine, of one more is not', () => {
    const keys = (count: number) =>
      Array.from({ length: count }, (_, index) => named(rsaJwk, { kid: `k${String(index)}` }))
    expect(KeySet.from({ keys: keys(100) }).size).toBe(100)
    expect(() => KeySet.from({ keys: keys(101) })).toThrow(
      new KeySetFault('the key set has more than 100 keys'),
    )
  })

  test('of more than a hundred keys is refused even where none is usable', () => {
    expect(() => KeySet.from({ keys: Array.from({ length: 101 }, () => ({})) })).toThrow(
      KeySetFault,
    )
  })

  test('may be empty, and have members beside its keys', () => {
    expect(KeySet.parse('{"keys":[],"more":1}').size).toBe(0)
  })
})
