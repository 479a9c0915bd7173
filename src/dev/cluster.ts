import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import { exportJWK, SignJWT, type JWK } from 'jose'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'

/** A pod of the local cluster. */
export interface LocalPod {
  readonly namespace: string
  readonly serviceAccount: { readonly name: string; readonly uid: string }
  readonly pod: { readonly name: string; readonly uid: string }
  readonly node: { readonly name: string; readonly uid: string }
}

/** Makes tokens as TokenRequest does for a pod (pkg/serviceaccount/claims.go of Kubernetes). */
export interface LocalCluster {
  readonly issuer: string
  token(pod: LocalPod, audience: string, lifetimeSeconds: number): Promise<string>
  /** What the API server serves of its issuer. */
  readonly app: FastifyInstance
}

interface ClusterDependencies {
  readonly clock: Clock
  readonly random: Random
}

/** A cluster's token issuer on this machine, for development: what it makes and serves is what a verifier sees of a real one. */
export async function localCluster(
  issuer: string,
  privateKey: KeyObject,
  { clock, random }: ClusterDependencies,
): Promise<LocalCluster> {
  const publicKey = createPublicKey(privateKey)
  const kid = keyIdOf(publicKey)
  const jwk: JWK = { use: 'sig', kid, alg: 'RS256', ...(await exportJWK(publicKey)) }
  return {
    issuer,
    app: discoveryOf(issuer, jwk),
    token: (pod, audience, lifetimeSeconds) => {
      const now = unixSeconds(clock)
      return new SignJWT({
        iss: issuer,
        sub: `system:serviceaccount:${pod.namespace}:${pod.serviceAccount.name}`,
        aud: [audience],
        iat: now,
        nbf: now,
        exp: now + lifetimeSeconds,
        jti: random.uuid(),
        'kubernetes.io': {
          namespace: pod.namespace,
          serviceaccount: pod.serviceAccount,
          pod: pod.pod,
          node: pod.node,
        },
      })
        .setProtectedHeader({ alg: 'RS256', kid })
        .sign(privateKey)
    },
  }
}

export function newClusterKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

/** As pkg/serviceaccount/jwt.go names keys: SHA-256 of the DER public key. */
function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('base64url')
}

/** pkg/routes/openidmetadata.go. */
function discoveryOf(issuer: string, jwk: JWK): FastifyInstance {
  const app = Fastify()
  const cacheControl = 'public, max-age=3600'
  app.get('/.well-known/openid-configuration', (_request, reply) =>
    reply.headers({ 'content-type': 'application/json', 'cache-control': cacheControl }).send(
      JSON.stringify({
        issuer,
        jwks_uri: `${issuer}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      }),
    ),
  )
  app.get('/openid/v1/jwks', (_request, reply) =>
    reply
      .headers({ 'content-type': 'application/jwk-set+json', 'cache-control': cacheControl })
      .send(JSON.stringify({ keys: [jwk] })),
  )
  return app
}
