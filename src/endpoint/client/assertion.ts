import { createHash } from 'node:crypto'
import { compactVerify } from 'jose'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { Store } from '../../store/store.ts'
import { isSignatureAlgorithm, type SignatureAlgorithm } from '../../verifier/keys/algorithms.ts'
import type { UnverifiedJws } from '../../verifier/jws.ts'
import type { Tenant } from '../tenant.ts'
import type { RegisteredClient } from './registered.ts'

/** An assertion that lives longer could be kept and shown later. */
const MAX_LIFETIME_SECONDS = 300
/** Clocks of a client and of an authority differ a little. */
const LEEWAY_SECONDS = 30
const MAX_JTI_LENGTH = 256

const types: ReadonlySet<unknown> = new Set([undefined, 'JWT', 'client-authentication+jwt'])
const members = new Set(['alg', 'kid', 'typ'])

interface AssertionDependencies {
  readonly store: Pick<Store, 'reserve'>
  readonly clock: Clock
}

/** Client assertions that clients sign themselves: `private_key_jwt` (RFC 7523 section 3, OpenID Connect Core section 9). */
export class ClientAssertions {
  readonly #dependencies: AssertionDependencies

  constructor(dependencies: AssertionDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Judges an assertion of a client, and takes it: the same one is good once. Answers with what is wrong, for the operator.
   * Its audience is our issuer and nothing else: one that was made for another server, or for a URL that another server can
   * make us out to be, would be shown on to us (draft-ietf-oauth-rfc7523bis).
   */
  async judge(
    jws: UnverifiedJws,
    client: RegisteredClient,
    tenant: Tenant,
  ): Promise<string | undefined> {
    if (!client.methods.includes('private_key_jwt')) return 'private_key_jwt is not its method'
    const { alg, kid, typ } = jws.header
    if (!types.has(typ)) return 'the assertion has another type'
    if (Object.keys(jws.header).some((name) => !members.has(name)))
      return 'an unknown header member'
    if (!isSignatureAlgorithm(alg)) return 'the algorithm is not allowed'
    if (!(await isSigned(jws, client, kid, alg))) return 'the signature is not the client’s'
    return this.#judgeClaims(jws, client, tenant)
  }

  async #judgeClaims(
    { payload }: UnverifiedJws,
    client: RegisteredClient,
    tenant: Tenant,
  ): Promise<string | undefined> {
    const { iss, sub, aud, exp, iat, nbf, jti } = payload
    const now = unixSeconds(this.#dependencies.clock)
    const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
    if (iss !== client.id || sub !== client.id) return 'iss and sub are not its client_id'
    if (audiences.length !== 1 || audiences[0] !== tenant.issuer) return 'aud is not the issuer'
    if (!isTime(exp) || exp <= now) return 'exp is missing or has passed'
    if (exp > now + MAX_LIFETIME_SECONDS + LEEWAY_SECONDS) return 'it lives too long'
    if (iat !== undefined && (!isTime(iat) || iat > now + LEEWAY_SECONDS)) return 'iat lies ahead'
    if (isTime(iat) && exp - iat > MAX_LIFETIME_SECONDS) return 'it lives too long'
    if (nbf !== undefined && (!isTime(nbf) || nbf > now + LEEWAY_SECONDS)) return 'nbf lies ahead'
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH)
      return 'jti is missing'
    const once = {
      tenant: tenant.slug,
      owner: `assertion:${client.id}`,
      jti: createHash('sha256').update(jti).digest('base64url'),
      expiresAt: exp,
    }
    return (await this.#dependencies.store.reserve(once, now)) ? undefined : 'it was shown before'
  }
}

async function isSigned(
  { compact }: UnverifiedJws,
  { keys }: RegisteredClient,
  kid: unknown,
  alg: SignatureAlgorithm,
): Promise<boolean> {
  const key =
    typeof kid === 'string' ? keys?.find(kid, alg) : kid === undefined ? keys?.sole(alg) : undefined
  if (!key) return false
  try {
    await compactVerify(compact, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
