import { createHmac, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, type JWK } from 'jose'
import { newClientKey, ISSUER } from '../../fakes/peopled_authority.ts'
import { part } from '../../fakes/raw_token.ts'
import type { Json } from '../../fakes/running_authority.ts'
import { withBrokenSignature } from './world.ts'

/** A token that was made of a good one, without the key that signs good ones. */
export interface Forgery {
  readonly name: string
  readonly token: string
  /** What the log says of it, behind who it was shown as. */
  readonly fault: 'token_signature' | 'token_malformed' | 'token_type' | 'token_foreign'
  /** Whether it says that we issued it. One that does not is held to the rules of a proof. */
  readonly saysOurs: boolean
}

interface Made {
  readonly header: Json
  readonly claims: Json
}

/** Everything that can be tried with a good token and our public key. */
export async function forgeriesOf(token: string, jwk: JWK): Promise<readonly Forgery[]> {
  const thief = await newClientKey('thief')
  const header = decodeProtectedHeader(token) as Json
  const claims = decodeJwt(token) as Json
  const [headerPart = '', payloadPart = '', signature = ''] = token.split('.')
  const signed = (made: Partial<Made>, key: KeyObject = thief.privateKey): string => {
    const input = `${part(JSON.stringify({ ...header, ...made.header }))}.${part(JSON.stringify({ ...claims, ...made.claims }))}`
    const bytes = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
    return `${input}.${bytes.toString('base64url')}`
  }
  const forged = (name: string, text: string, more: Partial<Forgery> = {}): Forgery => ({
    name,
    token: text,
    fault: 'token_signature',
    saysOurs: true,
    ...more,
  })
  const withHmac = (key: string | Buffer): string => {
    const input = `${part(JSON.stringify({ ...header, alg: 'HS256' }))}.${payloadPart}`
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
  }
  const unsigned = (alg: string) => part(JSON.stringify({ ...header, alg }))
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const foreign = { claims: { iss: 'https://evil.example' } }
  const unread = { fault: 'token_malformed', saysOurs: false } as const
  return [
    forged('one bit of the signature turned', withBrokenSignature(token)),
    forged(
      'more scope under the same signature',
      `${headerPart}.${part(JSON.stringify({ ...claims, scope: 'admin' }))}.${signature}`,
    ),
    forged(
      'another sub under the same signature',
      `${headerPart}.${part(JSON.stringify({ ...claims, sub: 'user_b' }))}.${signature}`,
    ),
    forged('signed by another key with our kid', signed({})),
    forged('signed by another key with its own kid', signed({ header: { kid: 'thief' } })),
    forged('signed by another key that its header embeds', signed({ header: { jwk: thief.jwk } })),
    forged('signed by another key, without kid', signed({ header: { kid: undefined } })),
    forged('a kid that is no text', signed({ header: { kid: 7 } })),
    forged('a kid that is a path', signed({ header: { kid: '../../../dev/null' } })),
    forged('a key set of its own', signed({ header: { jku: 'http://127.0.0.1:1/jwks' } })),
    forged('a member crit', signed({ header: { crit: ['exp'] } })),
    forged('a key of another kind', signed({ header: { alg: 'RS256' } })),
    ...['none', 'None', 'NONE'].flatMap((alg) => [
      forged(`alg ${alg} with the old signature`, `${unsigned(alg)}.${payloadPart}.${signature}`),
      forged(`alg ${alg} without signature`, `${unsigned(alg)}.${payloadPart}.`, unread),
    ]),
    forged(
      'HS256 with our public key as PEM',
      withHmac(publicKey.export({ type: 'spki', format: 'pem' })),
    ),
    forged(
      'HS256 with our public key as DER',
      withHmac(publicKey.export({ type: 'spki', format: 'der' })),
    ),
    forged('HS256 with our public key as JWK', withHmac(JSON.stringify(jwk))),
    forged('an access token that says it is a JWT', signed({ header: { typ: 'JWT' } }), {
      fault: 'token_type',
    }),
    forged('no type at all', signed({ header: { typ: undefined } }), { fault: 'token_type' }),
    forged('another issuer with our kid', signed(foreign), {
      fault: 'token_foreign',
      saysOurs: false,
    }),
    forged('our issuer with a slash behind it', signed({ claims: { iss: `${ISSUER}/` } }), {
      fault: 'token_foreign',
      saysOurs: false,
    }),
    forged('our issuer in a list', signed({ claims: { iss: [ISSUER] } }), {
      fault: 'token_foreign',
      saysOurs: false,
    }),
    forged('white space around it', ` ${token}`, unread),
    forged('a padded signature', `${token}==`, unread),
    forged('four parts', `${token}.${signature}`, unread),
    forged('two parts', `${headerPart}.${payloadPart}`, unread),
    forged('no token', 'x', unread),
    forged('longer than any token', `${token}${'A'.repeat(17 * 1024)}`, unread),
  ]
}
