import { describe, expect, test } from 'vitest'
import { MAX_TOKEN_BYTES } from '../../src/verifier/jws.ts'
import { Providers } from '../../src/verifier/registry.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { outcomeOf, providerOf } from '../fakes/provider.ts'
import { part, signParts } from '../fakes/raw_token.ts'

const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)
const key = cluster.privateKey
const verifier = new Providers([await providerOf(cluster)], clock)
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

async function judge(token: string): Promise<string> {
  return outcomeOf(await verifier.verify(token))
}

/** JSON whose base64url ends in a character of which only two bits count. */
function looseEnd(text: string): string {
  return text + ' '.repeat((4 - (Buffer.byteLength(text) % 3)) % 3)
}

const headerText = looseEnd(JSON.stringify({ alg: 'RS256', kid: cluster.kid }))
const payloadText = looseEnd(JSON.stringify(cluster.claims()))
const header = part(headerText)
const payload = part(payloadText)
const token = signParts(header, payload, key)
const signature = token.slice(token.lastIndexOf('.') + 1)

test('the token that the others are made of is good', async () => {
  expect(await judge(token)).toBe('accepted')
  expect([header, payload, signature].map((text) => text.length % 4)).toEqual([2, 2, 2])
})

/** The same bytes to a lenient decoder, in another spelling. */
const spellings: readonly (readonly [name: string, respell: (text: string) => string])[] = [
  ['padded', (text) => `${text}==`],
  ['padded by one sign', (text) => `${text}=`],
  ['with a space before', (text) => ` ${text}`],
  ['with a space behind', (text) => `${text} `],
  ['with a space inside', (text) => `${text.slice(0, 8)} ${text.slice(8)}`],
  ['with a line end inside', (text) => `${text.slice(0, 8)}\r\n${text.slice(8)}`],
  ['with a tab behind', (text) => `${text}\t`],
  ['with NUL behind', (text) => `${text}\0`],
  ['with a sign that is no base64', (text) => `${text.slice(0, 8)}!${text.slice(8)}`],
  ['with a letter beyond ASCII', (text) => `${text.slice(0, 8)}ä${text.slice(8)}`],
  ['with a percent escape', (text) => `%${text.charCodeAt(0).toString(16)}${text.slice(1)}`],
  ['in the standard alphabet', (text) => standard(text)],
  [
    'with other left-over bits',
    (text) => text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) + 1),
  ],
  ['with a letter too few to end a byte', (text) => text.slice(0, -1)],
]

/** Only some texts have a sign that differs between the alphabets; the others get one. */
function standard(text: string): string {
  const other = text.replaceAll('-', '+').replaceAll('_', '/')
  return other === text ? `${text.slice(0, 8)}+/${text.slice(8)}` : other
}

describe.each(spellings)('a part %s', (_, respell) => {
  test.each([
    ['the header', () => signParts(respell(header), payload, key)],
    ['the payload', () => signParts(header, respell(payload), key)],
    ['the signature', () => `${header}.${payload}.${respell(signature)}`],
    ['the header, signed as it should be', () => `${respell(header)}.${payload}.${signature}`],
    ['the payload, signed as it should be', () => `${header}.${respell(payload)}.${signature}`],
  ])('%s', async (_, make) => {
    expect(await judge(make())).toBe('malformed')
  })
})

const whole: readonly (readonly [name: string, token: string])[] = [
  ['empty', ''],
  ['a word', 'token'],
  ['two dots', '..'],
  ['two parts', `${header}.${payload}`],
  ['four parts', `${token}.${signature}`],
  ['a dot more', `${token}.`],
  ['a dot before', `.${token}`],
  ['five parts, as of a JWE', `${token}.${signature}.${signature}`],
  ['no header', `.${payload}.${signature}`],
  ['no payload', signParts(header, '', key)],
  ['no signature', `${header}.${payload}.`],
  ['a scheme before it', `Bearer ${token}`],
  ['a line end behind it', `${token}\n`],
  ['a BOM before it', `\uFEFF${token}`],
  ['quotes around it', `"${token}"`],
  ['the JSON form', JSON.stringify({ protected: header, payload, signature })],
]

test.each(whole)('a token that is %s is malformed', async (_, text) => {
  expect(await judge(text)).toBe('malformed')
})

const claims = JSON.stringify(cluster.claims())
const bytes = (...values: number[]) => Buffer.from(values)
const badJson: readonly (readonly [name: string, change: (json: string) => string | Buffer])[] = [
  ['in a list', (json) => `[${json}]`],
  ['in a text', (json) => JSON.stringify(json)],
  ['followed by another', (json) => `${json}{}`],
  ['followed by a comma', (json) => `${json},`],
  ['with a comma too many', (json) => json.replace(/\}$/, ',}')],
  ['with a comment', (json) => `${json}/**/`],
  ['with a BOM', (json) => Buffer.concat([bytes(0xef, 0xbb, 0xbf), Buffer.from(json)])],
  ['in UTF-16', (json) => Buffer.from(json, 'utf16le')],
  ['with a byte that is no UTF-8', (json) => Buffer.from(json.replace('"', '"\u00ff'), 'latin1')],
  ['with a sign spelled in too many bytes', (json) => Buffer.concat([overlong, Buffer.from(json)])],
  [
    'nested beyond measure',
    (json) => json.replace('{', `{"x":${'['.repeat(32)}${']'.repeat(32)},`),
  ],
  ['cut off', (json) => json.slice(0, -1)],
  ['null', () => 'null'],
  ['a number', () => '1'],
  ['nothing but a space', () => ' '],
]
const overlong = bytes(0xc0, 0xaf)

describe.each(badJson)('an object %s', (_, change) => {
  test('is no header', async () => {
    expect(await judge(signParts(part(change(headerText)), payload, key))).toBe('malformed')
  })
  test('is no payload', async () => {
    expect(await judge(signParts(header, part(change(claims)), key))).toBe('malformed')
  })
})

const twice: readonly (readonly [name: string, header: string, payload: string])[] = [
  ['alg', headerText.replace('{', '{"alg":"none",'), claims],
  ['alg, with the same value', headerText.replace('{', '{"alg":"RS256",'), claims],
  ['alg, once escaped', headerText.replace('{', String.raw`{"\u0061lg":"none",`), claims],
  ['kid', headerText.replace('{', '{"kid":"other",'), claims],
  ['sub', headerText, claims.replace('{', '{"sub":"system:serviceaccount:prod:admin",')],
  ['sub, once escaped', headerText, claims.replace('{', String.raw`{"\u0073\u0075b":"x",`)],
  ['iss', headerText, claims.replace(/\}$/, ',"iss":"https://other.example"}')],
  ['kubernetes.io', headerText, claims.replace('{', '{"kubernetes.io":{},')],
  [
    'a member of kubernetes.io',
    headerText,
    claims.replace('"namespace"', '"namespace":"prod","namespace"'),
  ],
  ['a member of no meaning', headerText, claims.replace('{', '{"x":{"y":1,"y":1},')],
]

test.each(twice)('a member that stands twice is malformed: %s', async (_, header, payload) => {
  expect(await judge(signParts(part(header), part(payload), key))).toBe('malformed')
})

test('a member that looks inherited gives nothing away', async () => {
  const { 'kubernetes.io': bound, ...rest } = cluster.claims()
  const text = JSON.stringify(rest).replace(
    '{',
    `{"__proto__":${JSON.stringify({ 'kubernetes.io': bound })},`,
  )
  expect(await judge(signParts(header, part(text), key))).toBe('claim_missing')
})

describe('the length', () => {
  /** A token of this length or a little less, filled with a claim of no meaning. */
  async function tokenOf(length: number): Promise<string> {
    const room = length - (await cluster.token({ claims: { x: '' } })).length
    return cluster.token({ claims: { x: 'x'.repeat(Math.floor((room * 3) / 4)) } })
  }

  test('just within the cap is fine', async () => {
    const long = await tokenOf(MAX_TOKEN_BYTES)
    expect(MAX_TOKEN_BYTES - long.length).toBeLessThan(4)
    expect(await judge(long)).toBe('accepted')
  })

  test('just beyond it is not', async () => {
    expect(await judge(await tokenOf(MAX_TOKEN_BYTES + 4))).toBe('too_large')
    expect(await judge('a'.repeat(MAX_TOKEN_BYTES))).toBe('malformed')
    expect(await judge('a'.repeat(MAX_TOKEN_BYTES + 1))).toBe('too_large')
  })

  test.each([
    ['a good token', () => tokenOf(1_048_576)],
    ['dots', () => Promise.resolve('.'.repeat(1_048_576))],
    ['letters', () => Promise.resolve('a'.repeat(1_048_576))],
  ])('of a megabyte of %s is not', async (_, make) => {
    expect(await judge(await make())).toBe('too_large')
  })
})

describe('the signature', () => {
  const flipped = Buffer.from(signature, 'base64url')
  flipped[0] = (flipped[0] ?? 0) ^ 1
  const other = new FakeCluster(() => clock.now)
  const reversed = JSON.stringify(Object.fromEntries(Object.entries(cluster.claims()).toReversed()))
  const richer = JSON.stringify(cluster.claims({ claims: { extra: true } }))

  test.each([
    ['by another key', signParts(header, payload, other.privateKey)],
    ['shortened', `${header}.${payload}.${signature.slice(0, 340)}`],
    ['a single byte', `${header}.${payload}.AA`],
    ['lengthened', `${header}.${payload}.${part(Buffer.alloc(257, 1))}`],
    ['with one bit flipped', `${header}.${payload}.${part(flipped)}`],
    ['of another token', `${header}.${part(richer)}.${signature}`],
    ['of the same claims in another order', `${header}.${part(reversed)}.${signature}`],
    ['of the header without typ', `${part(withTyp(headerText))}.${payload}.${signature}`],
  ])('%s', async (_, text) => {
    expect(await judge(text)).toBe('signature_invalid')
  })

  test('by a key of the same kid as ours', async () => {
    const token = await other.token({ header: { kid: cluster.kid } })
    expect(await judge(token)).toBe('signature_invalid')
  })
})

function withTyp(text: string): string {
  return text.replace('{', '{"typ":"JWT",')
}
