import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, SignJWT, type JWK } from 'jose'

type Claims = Readonly<Record<string, unknown>>

export interface TokenChanges {
  /** Laid over the claims; undefined takes a claim away. */
  readonly claims?: Claims
  /** Laid over the member `kubernetes.io`; undefined takes a member away. */
  readonly bound?: Claims
  readonly header?: Readonly<Record<string, unknown>>
  readonly key?: KeyObject
}

/** A cluster's token issuer with a key of its own, which signs whatever a test wants it to. */
export class FakeCluster {
  readonly issuer: string
  readonly audience: string
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly #now: () => number

  constructor(now: () => number, options: { issuer?: string; audience?: string } = {}) {
    this.#now = now
    this.issuer = options.issuer ?? 'https://cluster.example'
    this.audience = options.audience ?? 'https://auth.example/t/acme-corp/api/v1'
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.privateKey = privateKey
    this.publicKey = publicKey
    this.kid = kidOf(publicKey)
  }

  async jwks(): Promise<{ keys: JWK[] }> {
    return {
      keys: [{ use: 'sig', kid: this.kid, alg: 'RS256', ...(await exportJWK(this.publicKey)) }],
    }
  }

  claims({ claims = {}, bound = {} }: TokenChanges = {}): Claims {
    const now = this.#now()
    return {
      iss: this.issuer,
      sub: 'system:serviceaccount:research:doc-analyst',
      aud: [this.audience],
      iat: now,
      nbf: now,
      exp: now + 600,
      jti: '7d6b5f0e-5a3c-4a0e-9c55-1f2f8f3f9b11',
      'kubernetes.io': {
        namespace: 'research',
        serviceaccount: { name: 'doc-analyst', uid: '11111111-1111-1111-1111-111111111111' },
        pod: { name: 'doc-analyst-0', uid: '22222222-2222-2222-2222-222222222222' },
        node: { name: 'worker-1', uid: '33333333-3333-3333-3333-333333333333' },
        ...bound,
      },
      ...claims,
    }
  }

  /** A token as the API server makes it, but for the changes. */
  token(changes: TokenChanges = {}): Promise<string> {
    return new SignJWT(this.claims(changes))
      .setProtectedHeader({ alg: 'RS256', kid: this.kid, ...changes.header })
      .sign(changes.key ?? this.privateKey)
  }
}

export function kidOf(key: KeyObject): string {
  const der = (key.type === 'private' ? createPublicKey(key) : key).export({
    type: 'spki',
    format: 'der',
  })
  return createHash('sha256').update(der).digest('base64url')
}
