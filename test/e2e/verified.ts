import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose'
import { ISSUER, jwksOf } from './authority.ts'
import type { Cluster } from './cluster.ts'

/**
 * The claims of a token, which the keys that the authority publishes verify.
 * @throws Error when they do not, or when it is for another audience
 */
export async function claimsOf(
  cluster: Cluster,
  token: string,
  audience: string,
): Promise<JWTPayload> {
  const keys = createLocalJWKSet((await jwksOf(cluster)) as JSONWebKeySet)
  const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience, typ: 'at+jwt' })
  return payload
}
