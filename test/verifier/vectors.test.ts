import { readFileSync } from 'node:fs'
import { compactVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { isSignatureAlgorithm } from '../../src/verifier/keys/algorithms.ts'
import { parseCompactJws, type JwsFault, type UnverifiedJws } from '../../src/verifier/jws.ts'
import { KeySet } from '../../src/verifier/keys/key_set.ts'

type Jwk = Readonly<Record<string, unknown>>

interface Case {
  readonly tcId: number
  readonly comment: string
  /** A string but for a few cases of the JSON form; a JWE has none. */
  readonly jws?: unknown
  readonly result: 'valid' | 'invalid'
}

interface Group {
  readonly comment: string
  readonly public?: Jwk & { readonly keys?: readonly Jwk[] }
  readonly private?: Jwk & { readonly keys?: readonly Jwk[] }
  readonly tests: readonly Case[]
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${path}`, import.meta.url), 'utf8'))
}

/**
 * The gate for a payload that is no claims object, as those of the vectors are not: an empty object is judged in its place,
 * and its own form where a signature stands.
 */
function gate(compact: string): UnverifiedJws | JwsFault {
  const [header, payload, signature, ...more] = compact.split('.')
  if (payload === undefined || signature === undefined || more.length > 0) {
    return parseCompactJws(compact)
  }
  const form = parseCompactJws(`${header ?? ''}.e30.${payload}`)
  return typeof form === 'string' ? form : parseCompactJws(`${header ?? ''}.e30.${signature}`)
}

/** Gate, key and signature in the order of the verifier, with every algorithm allowed that may be. */
async function verify(jws: unknown, keys: readonly Jwk[]): Promise<'valid' | 'invalid'> {
  const form = typeof jws === 'string' ? gate(jws) : 'malformed'
  if (typeof jws !== 'string' || typeof form === 'string') return 'invalid'
  const { alg, kid } = form.header
  if (!isSignatureAlgorithm(alg)) return 'invalid'
  // Not all vectors name their key, and ours must have a name.
  const set = KeySet.from({ keys: keys.map((jwk) => ({ kid: 'key', ...jwk })) })
  const [only] = keys.map((jwk) => jwk['kid'] ?? 'key')
  const named = kid ?? only
  const key = typeof named === 'string' ? set.find(named, alg) : undefined
  if (!key) return 'invalid'
  return compactVerify(jws, key, { algorithms: [alg] }).then(
    () => 'valid',
    () => 'invalid',
  )
}

const isMac = (jwk: Jwk): boolean => jwk['kty'] === 'oct'

function casesOf(file: string) {
  const { testGroups } = read(`wycheproof/${file}.json`) as { testGroups: readonly Group[] }
  return testGroups.flatMap(({ comment: group, tests, ...keyed }) => {
    const jwk = keyed.public ?? keyed.private ?? {}
    const keys = jwk.keys ?? [jwk]
    return tests
      .filter((one) => 'jws' in one)
      .map((one) => ({ ...one, group, keys, mac: keys.every(isMac) }))
  })
}

const noClaims = 'a payload that is empty can hold no claims, so the gate refuses it'
const otherAlg =
  'the key is for PS256 and the token says PS384: a key that states its alg is held to it'
const noSuchAlg = 'the key states the alg ES521, which does not exist'
const weakPrime =
  'a key of a known weak generator (ROCA): which keys an issuer has is its own affair, and its set is trusted'

/** Where our answer is another than that of the vectors, on purpose. */
const disagreements: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  json_web_signature_test: {
    259: noClaims,
    264: noClaims,
    268: noClaims,
    272: noClaims,
    320: noClaims,
    325: noClaims,
    346: otherAlg,
    347: noSuchAlg,
    350: otherAlg,
    351: noSuchAlg,
  },
  json_web_key_test: { 7: weakPrime },
  json_web_crypto_test: { 46: weakPrime },
}

describe.each([
  ['json_web_signature_test', 401, 361],
  ['json_web_key_test', 26, 12],
  ['json_web_crypto_test', 49, 30],
])('Wycheproof %s', (file, count, asymmetric) => {
  const all = casesOf(file)
  const differs = disagreements[file] ?? {}

  test('is read whole', () => {
    expect(all.length).toBe(count)
    expect(all.filter(({ mac }) => !mac).length).toBe(asymmetric)
  })

  test('every case of a MAC key is refused', async () => {
    for (const { jws, keys, mac } of all) if (mac) expect(await verify(jws, keys)).toBe('invalid')
  })

  test.each(all.filter(({ mac }) => !mac))(
    '$tcId $group $comment, $result to its authors',
    async ({ tcId, jws, keys, result }) => {
      const agrees = (await verify(jws, keys)) === result
      expect(agrees).toBe(!(tcId in differs))
    },
  )
})

interface CookbookExample {
  readonly title: string
  readonly input: { readonly key: Jwk; readonly alg: string }
  readonly output: { readonly compact: string }
}

describe('JOSE cookbook (RFC 7520, RFC 8037)', () => {
  const examples = [
    ['jws-4_1.rsa_v15_signature', 'RS256', 'valid'],
    ['jws-4_2.rsa-pss_signature', 'PS384', 'valid'],
    ['jws-4_3.ecdsa_signature', 'ES512', 'valid'],
    ['jws-4_4.hmac-sha2_integrity_protection', 'HS256', 'invalid'],
    ['curve25519-jws', 'EdDSA', 'valid'],
  ] as const

  test.each(examples)('%s (%s) is %s', async (file, alg, result) => {
    const { input, output } = read(`jose-cookbook/${file}.json`) as CookbookExample
    expect(input.alg).toBe(alg)
    expect(await verify(output.compact, [input.key])).toBe(result)
  })

  test.each([
    ['jwk-3_1.ec_public_key', 'jws-4_3.ecdsa_signature'],
    ['jwk-3_3.rsa_public_key', 'jws-4_1.rsa_v15_signature'],
    ['jwk-3_3.rsa_public_key', 'jws-4_2.rsa-pss_signature'],
  ])('%s verifies %s', async (jwk, file) => {
    const { output } = read(`jose-cookbook/${file}.json`) as CookbookExample
    expect(await verify(output.compact, [read(`jose-cookbook/${jwk}.json`) as Jwk])).toBe('valid')
  })
})
