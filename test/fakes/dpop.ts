import {
  constants,
  createHash,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto'
import type { JWK } from 'jose'
import { DpopNonces } from '../../src/endpoint/dpop/nonce.ts'
import { DpopVerifier, type DpopExpectation } from '../../src/endpoint/dpop/proof.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import type { Once } from '../../src/store/records.ts'
import { StoreFault } from '../../src/store/store.ts'
import { FakeClock } from './clock.ts'
import { part } from './raw_token.ts'

type Members = Readonly<Record<string, unknown>>

const makers = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  EdDSA: () => generateKeyPairSync('ed25519').privateKey,
} as const

/** A client's key for DPoP, which makes proofs as a client does, and any other that a test wants. */
export class DpopKey {
  readonly algorithm: keyof typeof makers
  readonly privateKey: KeyObject
  /** Of the public key. */
  readonly jwk: JWK
  readonly jkt: string
  readonly #now: () => number

  constructor(
    algorithm: keyof typeof makers,
    now: () => number,
    privateKey: KeyObject = makers[algorithm](),
  ) {
    this.algorithm = algorithm
    this.privateKey = privateKey
    this.jwk = publicMembers(privateKey)
    this.jkt = thumbprintOf(this.jwk)
    this.#now = now
  }

  /** A proof with these claims and a new `jti`, made now, but for the changes; undefined takes a member away. */
  proof(claims: Members, header: Members = {}): string {
    return this.signed(
      JSON.stringify(this.header(header)),
      JSON.stringify({ jti: randomBytes(16).toString('hex'), iat: this.#now(), ...claims }),
    )
  }

  header(changes: Members = {}): Members {
    return { typ: 'dpop+jwt', alg: this.algorithm, jwk: this.jwk, ...changes }
  }

  /** A good signature over two texts, whatever they say. */
  signed(header: string, payload: string): string {
    const signed = `${part(header)}.${part(payload)}`
    return `${signed}.${this.#sign(signed)}`
  }

  #sign(text: string): string {
    const key = { key: this.privateKey, ...ways[this.algorithm] }
    const digest = this.algorithm === 'EdDSA' ? null : 'sha256'
    return sign(digest, Buffer.from(text), key).toString('base64url')
  }
}

/** How each algorithm signs (RFC 7518 section 3.1), beside its digest. */
const ways = {
  ES256: { dsaEncoding: 'ieee-p1363' },
  PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  RS256: {},
  EdDSA: {},
} as const

function publicMembers(privateKey: KeyObject): JWK {
  const { kty, crv, x, y, n, e } = privateKey.export({ format: 'jwk' })
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) as JWK
}

/** RFC 7638 section 3: the required members in the order of their names. */
function thumbprintOf({ crv, e, kty, n, x, y }: JWK): string {
  const text = JSON.stringify({ crv, e, kty, n, x, y })
  return createHash('sha256').update(text).digest('base64url')
}

/** Remembers what was shown until it expires, as a store does. */
export class FakeReservations {
  taken: readonly Once[] = []
  isOut = false

  reserve(once: Once, now: number): Promise<boolean> {
    if (this.isOut) return Promise.reject(new StoreFault('the store is out'))
    const standing = this.taken.filter(({ expiresAt }) => expiresAt > now)
    const isNew = !standing.some(
      ({ tenant, owner, jti }) =>
        tenant === once.tenant && owner === once.owner && jti === once.jti,
    )
    this.taken = isNew ? [...standing, once] : standing
    return Promise.resolve(isNew)
  }
}

/** What the authority has for proofs, over a clock and a store that a test holds in its hand. */
export class DpopWorld {
  readonly clock = new FakeClock()
  readonly store = new FakeReservations()
  readonly nonces = new DpopNonces(Buffer.alloc(32, 7), this.clock)
  readonly url = 'https://auth.example/t/acme-corp/api/v1/oauth/token'
  readonly expected: DpopExpectation = {
    tenant: 'acme-corp',
    method: 'POST',
    urls: [this.url, 'https://auth.example/orgs/acme-corp/api/v1/oauth/token'],
  }
  readonly verifier: DpopVerifier

  constructor({ nonceRequired = true }: { readonly nonceRequired?: boolean } = {}) {
    const { nonces, store, clock } = this
    this.verifier = new DpopVerifier({ nonces, store, clock, nonceRequired })
  }

  key(algorithm: DpopKey['algorithm'] = 'ES256', privateKey?: KeyObject): DpopKey {
    return new DpopKey(algorithm, () => this.clock.now, privateKey)
  }

  /** Claims of a good proof, but for the changes. */
  claims(changes: Members = {}): Members {
    return { htm: 'POST', htu: this.url, nonce: this.nonces.current(), ...changes }
  }

  /** The thumbprint that was proven, or the reason of the refusal. */
  async outcome(proof: string, changes: Partial<DpopExpectation> = {}): Promise<string> {
    const result = await this.verifier.verify(proof, { ...this.expected, ...changes })
    return result instanceof OAuthError ? result.reason : result.jkt
  }
}
