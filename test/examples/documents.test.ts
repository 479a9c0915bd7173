import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentsServer } from '../../examples/world/documents.ts'

const AUDIENCE = 'https://docs.example.com'
const servers: Server[] = []
let issuer: string
let documents: string
let own: CryptoKey
let foreign: CryptoKey

async function served(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

beforeAll(async () => {
  const pair = await generateKeyPair('RS256')
  own = pair.privateKey
  foreign = (await generateKeyPair('RS256')).privateKey
  const keys = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'own', alg: 'RS256' }] }
  issuer = await served(createServer((_request, response) => response.end(JSON.stringify(keys))))
  const actors = new Set(['agent:a', 'agent:b'])
  documents = await served(documentsServer({ issuer, audience: AUDIENCE, actors }))
})

afterAll(() => {
  for (const server of servers) server.close().closeAllConnections()
})

/** `act` as a token has it, for actors of which the first one acted first. */
function actOf(...actors: readonly string[]): object | undefined {
  return actors.reduce<object | undefined>(
    (act, sub) => ({ sub, iss: issuer, ...(act && { act }) }),
    undefined,
  )
}

interface Shown {
  readonly name: string
  readonly claims?: () => JWTPayload
  readonly header?: { readonly typ: string }
  readonly key?: () => CryptoKey
  readonly answer: readonly [status: number, body: object]
}

const refused = (status: number, error: string) =>
  [status, { error, error_description: expect.any(String) as string }] as const
const found = (...through: readonly string[]) =>
  [200, { documents: ['annual-report', 'budget'], asked_by: 'user', through }] as const

const cases: readonly Shown[] = [
  { name: 'no actor', answer: found() },
  {
    name: 'two actors, in the order in which they acted',
    claims: () => ({ act: actOf('agent:a', 'agent:b') }),
    answer: found('agent:a', 'agent:b'),
  },
  {
    name: 'an actor that may not act here, before one that may',
    claims: () => ({ act: actOf('agent:stranger', 'agent:b') }),
    answer: refused(403, 'insufficient_scope'),
  },
  {
    name: 'an actor of another issuer',
    claims: () => ({ act: { sub: 'agent:a', iss: 'https://other.example' } }),
    answer: refused(403, 'insufficient_scope'),
  },
  {
    name: 'four actors',
    claims: () => ({ act: actOf('agent:a', 'agent:b', 'agent:a', 'agent:b') }),
    answer: refused(403, 'insufficient_scope'),
  },
  {
    name: 'another scope',
    claims: () => ({ scope: 'write:documents' }),
    answer: refused(403, 'insufficient_scope'),
  },
  {
    name: 'another audience',
    claims: () => ({ aud: 'specialist' }),
    answer: refused(401, 'invalid_token'),
  },
  {
    name: 'another issuer',
    claims: () => ({ iss: 'https://other.example' }),
    answer: refused(401, 'invalid_token'),
  },
  { name: 'an end in the past', claims: () => ({ exp: 1 }), answer: refused(401, 'invalid_token') },
  {
    name: 'a key to which it is bound',
    claims: () => ({ cnf: { jkt: 'x' } }),
    answer: refused(401, 'invalid_token'),
  },
  {
    name: 'the type of an ID token',
    header: { typ: 'JWT' },
    answer: refused(401, 'invalid_token'),
  },
  { name: 'the key of somebody else', key: () => foreign, answer: refused(401, 'invalid_token') },
]

test.each(cases)('a token with $name', async ({ claims, header, key, answer }) => {
  const token = await new SignJWT({ sub: 'user', scope: 'read:documents', ...claims?.() })
    .setIssuer(claims?.().iss ?? issuer)
    .setAudience(claims?.().aud ?? AUDIENCE)
    .setExpirationTime(claims?.().exp ?? '1m')
    .setProtectedHeader({ alg: 'RS256', kid: 'own', typ: 'at+jwt', ...header })
    .sign(key?.() ?? own)
  const given = await fetch(documents, { headers: { authorization: `Bearer ${token}` } })
  expect([given.status, await given.json()]).toEqual(answer)
})

test('keys that cannot be had are not the fault of the token', async () => {
  const alone = await served(
    documentsServer({ issuer: documents, audience: AUDIENCE, actors: new Set() }),
  )
  const token = await new SignJWT({ sub: 'user' })
    .setProtectedHeader({ alg: 'RS256', kid: 'own', typ: 'at+jwt' })
    .sign(own)
  const given = await fetch(alone, { headers: { authorization: `Bearer ${token}` } })
  expect(given.status).toBe(503)
})
