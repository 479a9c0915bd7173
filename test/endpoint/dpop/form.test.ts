import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DpopWorld, type DpopKey } from '../../fakes/dpop.ts'
import { part } from '../../fakes/raw_token.ts'

const world = new DpopWorld()
const keys = {
  ES256: world.key('ES256'),
  PS256: world.key('PS256'),
  RS256: world.key('RS256'),
  EdDSA: world.key('EdDSA'),
}
const key = keys.ES256
const other = world.key('ES256')

type Header = Readonly<Record<string, unknown>>

/** A proof of the first key, good but for its header. */
const proofWith = (header: Header, of: DpopKey = key): string => of.proof(world.claims(), header)

const good: readonly (readonly [name: string, proof: string, of: DpopKey])[] = [
  ...Object.values(keys).map((of) => [of.algorithm, proofWith({}, of), of] as const),
  [
    'RS256 by a key that also makes PS256',
    proofWith({ alg: 'RS256' }, rs256Of(keys.PS256)),
    keys.PS256,
  ],
  ['with a kid', proofWith({ kid: 'key-1' }), key],
  [
    'with a key that says more of itself',
    proofWith({ jwk: { ...key.jwk, use: 'sig', alg: 'ES256', kid: 'key-1' } }),
    key,
  ],
  ['with a key whose members stand in another order', proofWith({ jwk: reversed(key.jwk) }), key],
]

describe('a good proof', () => {
  test.each(good)('%s', async (_, proof, of) => {
    expect(await world.outcome(proof)).toBe(of.jkt)
  })
})

function rs256Of({ privateKey }: DpopKey): DpopKey {
  return world.key('RS256', privateKey)
}

function reversed(members: object): object {
  return Object.fromEntries(Object.entries(members).toReversed())
}

const [head = '', body = '', signature = ''] = proofWith({}).split('.')
const headText = JSON.stringify(key.header())
const bodyText = JSON.stringify({ ...world.claims(), jti: 'j'.repeat(16), iat: world.clock.now })
const asList = (text: string): string => `[${text}]`

const malformed: readonly (readonly [name: string, proof: string])[] = [
  ['empty', ''],
  ['a word', 'none'],
  ['two parts', `${head}.${body}`],
  ['four parts', `${head}.${body}.${signature}.`],
  ['five parts, as JWE has', `${head}.${body}.${signature}.${body}.${signature}`],
  ['no signature', `${head}.${body}.`],
  ['alg none without a signature', `${part(JSON.stringify(key.header({ alg: 'none' })))}.${body}.`],
  ['no header', `.${body}.${signature}`],
  ['no payload, as where it is detached', `${head}..${signature}`],
  ['a padded signature', `${head}.${body}.${signature}==`],
  ['a padded header', `${head}=.${body}.${signature}`],
  ['a space before it', ` ${head}.${body}.${signature}`],
  ['a line end after it', `${head}.${body}.${signature}\n`],
  ['two proofs in one header', `${head}.${body}.${signature}, ${head}.${body}.${signature}`],
  ['base64 instead of base64url', `${head}.${body}.${signature.slice(0, -2)}+/`],
  ['a header that is no JSON', key.signed('{', bodyText)],
  ['a header that is a list', key.signed(asList(headText), bodyText)],
  ['a payload that is no JSON', key.signed(headText, `${bodyText}}`)],
  ['a payload that is a list', key.signed(headText, asList(bodyText))],
  ['a payload that is null', key.signed(headText, 'null')],
  ['a payload with a BOM', key.signed(headText, `\u{FEFF}${bodyText}`)],
  ['a claim that stands twice', key.signed(headText, bodyText.replace('{', '{"htm":"GET",'))],
  [
    'a claim that stands twice, once escaped',
    key.signed(headText, bodyText.replace('{', String.raw`{"h\u0074m":"GET",`)),
  ],
  [
    'a header member that stands twice',
    key.signed(headText.replace('{', '{"alg":"none",'), bodyText),
  ],
  [
    'a member of the key that stands twice',
    key.signed(headText.replace('"jwk":{', '"jwk":{"kty":"oct",'), bodyText),
  ],
  [
    'a payload nested too deeply',
    key.signed(headText, bodyText.replace('{', `{"a":${'['.repeat(99)}${']'.repeat(99)},`)),
  ],
  ['20 KB of claims', key.proof(world.claims({ note: 'x'.repeat(20_000) }))],
  ['20 KB of header', proofWith({ kid: 'x'.repeat(20_000) })],
  ['20 KB of signature', `${head}.${body}.${'A'.repeat(20_000)}`],
  ['20 KB of dots', '.'.repeat(20_000)],
]

const types: readonly (readonly [name: string, header: Header])[] = [
  ['missing', { typ: undefined }],
  ['that of JWTs', { typ: 'JWT' }],
  ['that of access tokens', { typ: 'at+jwt' }],
  ['in capitals', { typ: 'DPoP+JWT' }],
  ['as a whole media type', { typ: 'application/dpop+jwt' }],
  ['a list', { typ: ['dpop+jwt'] }],
  ['null', { typ: null }],
]

const headers: readonly (readonly [name: string, header: Header])[] = [
  ['crit', { crit: ['b64'], b64: true }],
  ['an empty crit', { crit: [] }],
  ['b64', { b64: false }],
  ['jku', { jku: 'https://evil.example/jwks' }],
  ['x5u', { x5u: 'https://evil.example/x5u' }],
  ['x5c', { x5c: [] }],
  ['cty', { cty: 'JWT' }],
  ['zip', { zip: 'DEF' }],
  ['a member that nobody knows', { note: 'n' }],
  ['a member that every object has', { constructor: 'n' }],
]

const algorithms: readonly (readonly [name: string, header: Header])[] = [
  ['missing', { alg: undefined }],
  ['none', { alg: 'none' }],
  ['nOnE', { alg: 'nOnE' }],
  ['HS256', { alg: 'HS256' }],
  ['RS512', { alg: 'RS512' }],
  ['ES384', { alg: 'ES384' }],
  ['ES256K', { alg: 'ES256K' }],
  ['RSA-OAEP', { alg: 'RSA-OAEP' }],
  ['in lower case', { alg: 'es256' }],
  ['a list', { alg: ['ES256'] }],
  ['a name that every object has', { alg: 'constructor' }],
]

const privateJwk = (of: DpopKey) => of.privateKey.export({ format: 'jwk' })
const jwkOf = (publicKey: KeyObject) => publicKey.export({ format: 'jwk' })
const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey

const badKeys: readonly (readonly [name: string, proof: string])[] = [
  ['missing', proofWith({ jwk: undefined })],
  ['null', proofWith({ jwk: null })],
  ['a list', proofWith({ jwk: [key.jwk] })],
  ['a text', proofWith({ jwk: JSON.stringify(key.jwk) })],
  ['empty', proofWith({ jwk: {} })],
  ['private, EC', proofWith({ jwk: privateJwk(key) })],
  ['private, RSA', proofWith({ jwk: privateJwk(keys.RS256) }, keys.RS256)],
  ['private, OKP', proofWith({ jwk: privateJwk(keys.EdDSA) }, keys.EdDSA)],
  ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map(
    (member) =>
      [
        `with the private member ${member}`,
        proofWith({ jwk: { ...key.jwk, [member]: null } }),
      ] as const,
  ),
  ['symmetric', proofWith({ jwk: { kty: 'oct', k: part('secret') } })],
  ['symmetric without its secret', proofWith({ jwk: { kty: 'oct' } })],
  ['of another type than its members', proofWith({ jwk: { ...key.jwk, kty: 'RSA' } })],
  ['of a type that every object has', proofWith({ jwk: { ...key.jwk, kty: 'constructor' } })],
  ['without y', proofWith({ jwk: { ...key.jwk, y: undefined } })],
  ['a point that is not on the curve', proofWith({ jwk: { ...key.jwk, y: key.jwk.x } })],
  ['a member that is a number', proofWith({ jwk: { ...key.jwk, x: 1 } })],
  ['RSA of 1024 bits', proofWith({}, world.key('RS256', rsa1024))],
  ['RSA of 1024 bits, PS256', proofWith({}, world.key('PS256', rsa1024))],
  ['RSA with the exponent 1', proofWith({ jwk: { ...keys.RS256.jwk, e: 'AQ' } }, keys.RS256)],
  ['RSA for ES256', proofWith({ alg: 'ES256' }, keys.RS256)],
  ['EC for RS256', proofWith({ alg: 'RS256' })],
  ['EC for EdDSA', proofWith({ alg: 'EdDSA' })],
  ['Ed25519 for ES256', proofWith({ alg: 'ES256' }, keys.EdDSA)],
  [
    'P-384 for ES256',
    proofWith({ jwk: jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey) }),
  ],
  [
    'secp256k1 for ES256',
    proofWith({ jwk: jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) }),
  ],
  [
    'Ed448 for EdDSA',
    proofWith({ jwk: jwkOf(generateKeyPairSync('ed448').publicKey) }, keys.EdDSA),
  ],
  [
    'X25519 for EdDSA',
    proofWith({ jwk: jwkOf(generateKeyPairSync('x25519').publicKey) }, keys.EdDSA),
  ],
]

const zeros = Buffer.alloc(64).toString('base64url')

const badSignatures: readonly (readonly [name: string, proof: string])[] = [
  ['of another key', proofWith({ jwk: other.jwk })],
  ['of another key of RSA', proofWith({ jwk: keys.PS256.jwk }, keys.RS256)],
  ['of another key of OKP', proofWith({ jwk: world.key('EdDSA').jwk }, keys.EdDSA)],
  ['of another payload', `${head}.${part(bodyText)}.${signature}`],
  ['of another header', `${part(JSON.stringify(key.header({ kid: 'k' })))}.${body}.${signature}`],
  ['PS256 that was made as RS256', proofWith({ alg: 'PS256' }, keys.RS256)],
  ['RS256 that was made as PS256', proofWith({ alg: 'RS256' }, keys.PS256)],
  ['of zeros', `${head}.${body}.${zeros}`],
  ['of zeros, EdDSA', `${proofWith({}, keys.EdDSA).replace(/[^.]+$/, '')}${zeros}`],
  [
    'a byte short',
    `${head}.${body}.${Buffer.from(signature, 'base64url').subarray(1).toString('base64url')}`,
  ],
  ['very long', `${head}.${body}.${Buffer.alloc(9_000, 1).toString('base64url')}`],
]

const asHeaders = (cases: readonly (readonly [name: string, header: Header])[]) =>
  cases.map(([name, header]) => [name, proofWith(header)] as const)

/** The public key as the secret of a MAC: what a verifier that lets the header choose would take. */
const hmacOfPublicKey = ((): string => {
  const signed = `${part(JSON.stringify(key.header({ alg: 'HS256' })))}.${body}`
  return `${signed}.${createHmac('sha256', JSON.stringify(key.jwk)).update(signed).digest('base64url')}`
})()

const refused = {
  dpop_malformed: malformed,
  dpop_type: asHeaders(types),
  dpop_header: asHeaders(headers),
  dpop_algorithm: [
    ...asHeaders(algorithms),
    ['HS256 with the public key as secret', hmacOfPublicKey] as const,
  ],
  dpop_key: badKeys,
  dpop_signature: badSignatures,
}

for (const [reason, cases] of Object.entries(refused)) {
  describe(`a proof is refused as ${reason}`, () => {
    test.each(cases)('%s', async (_, proof) => {
      const before = world.store.taken
      expect(await world.outcome(proof)).toBe(reason)
      expect(world.store.taken).toBe(before)
    })
  })
}
