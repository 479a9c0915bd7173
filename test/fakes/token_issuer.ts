import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { part } from './raw_token.ts'

export type Claims = Readonly<Record<string, unknown>>

export interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export interface Issued {
  /** Laid over the claims; undefined takes a claim away. A function is given the good ones. */
  readonly claims?: Claims | ((good: Claims) => Claims) | undefined
  /** Laid over the claim that the platform puts its own ones into. */
  readonly nested?: Claims | undefined
  /** Laid over the header; undefined takes a member away. */
  readonly header?: Claims | undefined
  /** What signs instead of the key of the issuer. */
  readonly key?: KeyObject | undefined
  /** Done to the JSON of the claims before it is signed. */
  readonly text?: ((json: string) => string) | undefined
}

/** An issuer with a key of its own that writes tokens as a platform does, and signs whatever a test wants it to. */
export abstract class TokenIssuer {
  readonly issuer: string
  readonly audience: string
  readonly kid: string = randomBytes(20).toString('hex')
  readonly pair: Pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  protected readonly now: () => number

  /** `now` in Unix seconds. */
  constructor(issuer: string, audience: string, now: () => number) {
    this.issuer = issuer
    this.audience = audience
    this.now = now
  }

  /** What the platform writes for one workload. */
  abstract good(): Claims

  /** The claim that holds the platform's own ones, where there is one. */
  readonly nest: string | undefined = undefined

  header(): Claims {
    return { alg: 'RS256', kid: this.kid, typ: 'JWT' }
  }

  jwks(): { readonly keys: readonly Claims[] } {
    return {
      keys: [{ ...this.pair.publicKey.export({ format: 'jwk' }), kid: this.kid, use: 'sig' }],
    }
  }

  claims({ claims = {}, nested = {} }: Issued = {}): Claims {
    const good = this.good()
    const { nest } = this
    const inner = nest === undefined ? {} : { [nest]: { ...(good[nest] as Claims), ...nested } }
    const changes = typeof claims === 'function' ? claims(good) : claims
    return { ...good, ...inner, ...changes }
  }

  token(issued: Issued = {}): string {
    const { header = {}, key = this.pair.privateKey, text = (json) => json } = issued
    return signJws({ ...this.header(), ...header }, text(JSON.stringify(this.claims(issued))), key)
  }
}

/**
 * A compact JWS with this header over this text. Any key signs, whatever `alg` says and however weak it is: libraries
 * refuse what a test has to be able to make.
 */
export function signJws(header: Claims, payload: string, key: KeyObject): string {
  const signed = `${part(JSON.stringify(header))}.${part(payload)}`
  return `${signed}.${sign(digestOf(header['alg'], key), Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function digestOf(alg: unknown, key: KeyObject): string | null {
  if (key.asymmetricKeyType === 'ed25519') return null
  const bits = /^[A-Z]{2}(256|384|512)$/.exec(String(alg))?.[1] ?? '256'
  return `sha${bits}`
}
