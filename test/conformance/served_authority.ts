import type { webcrypto } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose'
import { systemClock } from '../../src/platform/clock.ts'
import { frontDoor } from '../fakes/front_door.ts'
import {
  newClientKey,
  peopledAuthority,
  peopledClients,
  type Peopled,
} from '../fakes/peopled_authority.ts'
import { client, secretHash } from '../fakes/running_authority.ts'

/** Where the issuer of the tenant lies: under a path, or at the bare origin. */
export const issuerPlaces = ['path', 'origin'] as const

export type IssuerPlace = (typeof issuerPlaces)[number]

/** A client whose secret has every character that an encoding on the way could get wrong (RFC 6749 section 2.3.1). */
export const odd = { id: 'odd.client_1-x', secret: `a+b%41 c:d/e&f=g~"'?` } as const

/** An authority with people, under its public name, for client libraries that know nothing of these tests. */
export interface ServedAuthority extends Peopled {
  readonly origin: string
  readonly issuer: string
  /** Of the client `signing`. */
  readonly assertionKey: { readonly key: webcrypto.CryptoKey; readonly kid: string }
  /** A proof of a pod of the agent `doc-analyst`, for this issuer. */
  proof(): Promise<string>
  /** Claims of an access token as a resource server reads them: by the published keys (RFC 9068 section 4). */
  claimsOf(token: string, audience: string): Promise<JWTPayload>
}

export async function servedAuthority(place: IssuerPlace = 'path'): Promise<ServedAuthority> {
  const door = await frontDoor()
  const key = await newClientKey()
  const authority = await peopledAuthority({
    origin: door.origin,
    // The libraries go by the time of the machine, and so does the authority.
    clock: systemClock,
    tenant: {
      issuer: place,
      clients: [...peopledClients(key), client(odd.id, { secretHashes: [secretHash(odd.secret)] })],
    },
  })
  door.leadTo(authority.port)
  const base = `${door.origin}/t/acme-corp/api/v1`
  const issuer = place === 'path' ? base : door.origin
  const jwks = createRemoteJWKSet(new URL(`${base}/.well-known/jwks.json`))
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  return {
    ...authority,
    origin: door.origin,
    issuer,
    assertionKey: { key: key.privateKey.toCryptoKey(algorithm, false, ['sign']), kid: key.kid },
    proof: () => authority.cluster.token({ claims: { aud: [issuer] } }),
    claimsOf: async (token, audience) =>
      (await jwtVerify(token, jwks, { issuer, audience, typ: 'at+jwt' })).payload,
    stop: async () => {
      await authority.stop()
      await door.close()
    },
  }
}
