import { createHash, createPublicKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, compactVerify, type JWK } from 'jose'
import { OAuthError } from '../../oauth/errors.ts'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import { isJsonObject } from '../../platform/strict_json.ts'
import type { Store } from '../../store/store.ts'
import { keySuits } from '../../verifier/keys/algorithms.ts'
import { parseCompactJws, type UnverifiedJws } from '../../verifier/jws.ts'
import type { DpopNonces } from './nonce.ts'

/** Algorithms of proofs. Asymmetric only (RFC 9449 section 4.3). */
export const dpopAlgorithms = ['ES256', 'PS256', 'RS256', 'EdDSA'] as const

type DpopAlgorithm = (typeof dpopAlgorithms)[number]

const MAX_AGE_SECONDS = 60
/** Clocks of a client and of an authority differ a little. */
const AHEAD_SECONDS = 5
const jtiForm = /^[\x21-\x7e]{16,256}$/
const headerMembers = new Set(['typ', 'alg', 'jwk', 'kid'])
/** Members by which a JWK would show more than a public key (RFC 7518 section 6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** What can be wrong with a proof, and what the operator reads of it. */
const faults = {
  dpop_malformed: 'the proof is no compact JWS, or too long',
  dpop_type: 'typ is not dpop+jwt',
  dpop_header: 'the header has a member that no proof needs',
  dpop_algorithm: 'alg is none of those that are taken',
  dpop_key: 'jwk is no public key, or does not suit alg',
  dpop_signature: 'the signature is not by the key in jwk',
  dpop_method: 'htm is not the method of the request',
  dpop_url: 'htu is not a public URL of this endpoint',
  dpop_jti: 'jti is not 16 to 256 printable characters',
  dpop_time: 'iat, exp or nbf does not hold now',
  dpop_token: 'ath is not the hash of the access token',
  dpop_replayed: 'the proof was shown before',
} as const

type DpopFault = keyof typeof faults

declare const proven: unique symbol

/** Possession of a key was shown with this very request. Only `DpopVerifier` makes one. */
export interface DpopProof {
  readonly [proven]: true
  /** Thumbprint of the key (RFC 7638, RFC 9449 section 6.1). */
  readonly jkt: string
}

export interface DpopExpectation {
  readonly tenant: string
  readonly method: string
  /** Public URLs of the endpoint; what the client called it by must be one of them. */
  readonly urls: readonly string[]
  /** The access token that comes with it, at a resource. */
  readonly accessToken?: string
}

interface DpopDependencies {
  readonly nonces: DpopNonces
  readonly store: Pick<Store, 'reserve'>
  readonly clock: Clock
  readonly nonceRequired: boolean
}

interface ReadProof {
  readonly jws: UnverifiedJws
  readonly algorithm: DpopAlgorithm
  readonly key: KeyObject
  readonly jwk: JWK
}

/** Verifies DPoP proofs (RFC 9449 section 4.3). */
export class DpopVerifier {
  readonly #dependencies: DpopDependencies

  constructor(dependencies: DpopDependencies) {
    this.#dependencies = dependencies
  }

  /** For the answer to a request that had a proof. */
  freshNonce(): string {
    return this.#dependencies.nonces.current()
  }

  /** A proof is taken last, when everything else is right: one that was refused for another reason can be shown again. */
  async verify(proof: string, expected: DpopExpectation): Promise<DpopProof | OAuthError> {
    const read = readProof(proof)
    if (typeof read === 'string') return refuse(read)
    const { payload } = read.jws
    // Before the signature, which costs more and which anybody can have us verify with a key of theirs.
    const fault = this.#judge(payload, expected)
    if (fault === 'nonce') return new OAuthError('dpop_nonce_needed')
    if (fault !== undefined) return refuse(fault)
    if (!(await isSigned(read))) return refuse('dpop_signature')
    const jkt = await calculateJwkThumbprint(read.jwk)
    return (await this.#take(payload, jkt, expected))
      ? ({ jkt } as DpopProof)
      : refuse('dpop_replayed')
  }

  #judge(
    claims: Claims,
    { method, urls, accessToken }: DpopExpectation,
  ): DpopFault | 'nonce' | undefined {
    const { htm, htu, jti, nonce, ath } = claims
    if (htm !== method) return 'dpop_method'
    if (typeof htu !== 'string' || !urls.includes(normalUrl(htu) ?? '')) return 'dpop_url'
    if (typeof jti !== 'string' || !jtiForm.test(jti)) return 'dpop_jti'
    const late = this.#judgeTimes(claims)
    if (late !== undefined) return late
    if (accessToken !== undefined && !isHashOf(ath, accessToken)) return 'dpop_token'
    const { nonces, nonceRequired } = this.#dependencies
    if (nonce === undefined) return nonceRequired ? 'nonce' : undefined
    return typeof nonce === 'string' && nonces.isGood(nonce) ? undefined : 'nonce'
  }

  #judgeTimes({ iat, exp, nbf }: Claims): DpopFault | undefined {
    const now = unixSeconds(this.#dependencies.clock)
    if (!isTime(iat) || iat < now - MAX_AGE_SECONDS || iat > now + AHEAD_SECONDS) return 'dpop_time'
    if (exp !== undefined && (!isTime(exp) || exp <= now)) return 'dpop_time'
    if (nbf !== undefined && (!isTime(nbf) || nbf > now + AHEAD_SECONDS)) return 'dpop_time'
    return undefined
  }

  #take(claims: Claims, jkt: string, { tenant }: DpopExpectation): Promise<boolean> {
    const { store, clock } = this.#dependencies
    const jti = createHash('sha256').update(String(claims['jti'])).digest('base64url')
    // As long as its iat would pass, by the clock of any process that shares the store.
    const expiresAt = Number(claims['iat']) + MAX_AGE_SECONDS + AHEAD_SECONDS
    return store.reserve({ tenant, owner: `dpop:${jkt}`, jti, expiresAt }, unixSeconds(clock))
  }
}

type Claims = UnverifiedJws['payload']

/** Reads header and key. The reason why not, otherwise. */
function readProof(proof: string): ReadProof | DpopFault {
  const jws = parseCompactJws(proof)
  if (typeof jws === 'string') return 'dpop_malformed'
  const { typ, alg, jwk } = jws.header
  if (typ !== 'dpop+jwt') return 'dpop_type'
  if (Object.keys(jws.header).some((name) => !headerMembers.has(name))) return 'dpop_header'
  const algorithm = dpopAlgorithms.find((one) => one === alg)
  if (!algorithm) return 'dpop_algorithm'
  if (!isJsonObject(jwk) || privateMembers.some((member) => member in jwk)) return 'dpop_key'
  const key = importKey(jwk)
  if (!key || !keySuits(key, algorithm)) return 'dpop_key'
  return { jws, algorithm, key, jwk }
}

function importKey(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}

async function isSigned({ jws, key, algorithm }: ReadProof): Promise<boolean> {
  try {
    await compactVerify(jws.compact, key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}

/** Without query and fragment, its host and port as RFC 3986 section 6.2.3 writes them; undefined when it is no URL. */
function normalUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, pathname, username, password } = new URL(text)
  return username === '' && password === '' ? `${origin}${pathname}` : undefined
}

/** RFC 9449 section 4.2: `ath`. */
function isHashOf(ath: unknown, token: string): boolean {
  if (typeof ath !== 'string') return false
  const digest = Buffer.from(createHash('sha256').update(token).digest('base64url'))
  const given = Buffer.from(ath)
  return given.length === digest.length && timingSafeEqual(given, digest)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function refuse(reason: DpopFault): OAuthError {
  return new OAuthError('dpop_invalid', { reason, detail: faults[reason] })
}
