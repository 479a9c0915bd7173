import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, SignJWT, type JWK } from 'jose'

/** Whom a token is about. */
export interface WebIdentitySubject {
  readonly account: string
  /** Of a session that of its role, path included. */
  readonly arn: string
  readonly region: string
  readonly principalTags: Readonly<Record<string, string>>
}

interface WebIdentityWish {
  readonly audiences: readonly string[]
  readonly algorithm: 'RS256' | 'ES384'
  readonly seconds: number
  readonly tags: Readonly<Record<string, string>>
}

/** Reads the parameters of GetWebIdentityToken; undefined where AWS says ValidationError. */
export function wishOf(parameters: URLSearchParams): WebIdentityWish | undefined {
  const audiences = membersOf(parameters, 'Audience.member', '')
  const algorithm = parameters.get('SigningAlgorithm')
  const seconds = Number(parameters.get('DurationSeconds') ?? '300')
  const keys = membersOf(parameters, 'Tags.member', '.Key')
  const values = membersOf(parameters, 'Tags.member', '.Value')
  if (audiences.length === 0 || audiences.length > 10 || keys.length > 50) return undefined
  if (algorithm !== 'RS256' && algorithm !== 'ES384') return undefined
  if (!Number.isInteger(seconds) || seconds < 60 || seconds > 3600) return undefined
  const tags = Object.fromEntries(keys.map((key, at) => [key, values[at] ?? '']))
  return { audiences, algorithm, seconds, tags }
}

function membersOf(parameters: URLSearchParams, before: string, after: string): string[] {
  const found: string[] = []
  for (let at = 1; ; at++) {
    const value = parameters.get(`${before}.${String(at)}${after}`)
    if (value === null) return found
    found.push(value)
  }
}

/** The issuer of one account: signs, and publishes its keys as AWS does, one without `alg`. */
export class WebIdentityIssuer {
  #pairs: ReturnType<typeof keyPairs> | undefined

  privateKey(algorithm: 'RS256' | 'ES384'): KeyObject {
    return this.#keys[algorithm].privateKey
  }

  async jwks(): Promise<{ readonly keys: readonly JWK[] }> {
    const rsa = await exportJWK(this.#keys.RS256.publicKey)
    const ec = await exportJWK(this.#keys.ES384.publicKey)
    return {
      keys: [
        { ...rsa, kid: 'RSA_0', use: 'sig' },
        { ...ec, kid: 'EC384_0', use: 'sig', alg: 'ES384' },
      ],
    }
  }

  /** A token as GetWebIdentityToken answers it. `now` is Unix seconds. */
  token(
    issuer: string,
    subject: WebIdentitySubject,
    wish: WebIdentityWish,
    now: number,
  ): Promise<string> {
    const { account, arn, region, principalTags } = subject
    const [audience] = wish.audiences
    return new SignJWT({
      iss: issuer,
      aud: wish.audiences.length === 1 && audience !== undefined ? audience : [...wish.audiences],
      sub: arn,
      iat: now,
      exp: now + wish.seconds,
      jti: crypto.randomUUID(),
      'https://sts.amazonaws.com/': {
        aws_account: account,
        source_region: region,
        org_id: 'o-abc1234567',
        ou_path: ['o-abc1234567/r-ab12/ou-ab12-11111111/'],
        principal_tags: principalTags,
        original_session_exp: new Date((now + 3600) * 1000).toISOString(),
        request_tags: wish.tags,
      },
    })
      .setProtectedHeader({
        alg: wish.algorithm,
        kid: wish.algorithm === 'RS256' ? 'RSA_0' : 'EC384_0',
        typ: 'JWT',
      })
      .sign(this.privateKey(wish.algorithm))
  }

  /** Made when first needed: most tests need none, and an RSA key takes its time. */
  get #keys() {
    this.#pairs ??= keyPairs()
    return this.#pairs
  }
}

function keyPairs() {
  return {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  }
}

/** The discovery document, without `response_types_supported`, as AWS leaves it out. */
export function discovery(issuer: string): unknown {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES384'],
  }
}
