import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'
import type { Clock } from '../../../src/platform/clock.ts'
import { unixSeconds } from '../../../src/platform/clock.ts'
import type { Json } from '../../fakes/running_authority.ts'

export const CLIENT_ID = 'lumo'
export const CLIENT_SECRET = 'a secret + that / no URL : takes'

/** What a provider does otherwise than a good one. */
export interface Twist {
  /** Laid over its discovery document; undefined takes a member out. */
  readonly metadata?: Json
  /** Laid over the claims of the ID token. */
  readonly claims?: Json
  readonly userinfo?: Json
  readonly signedBy?: 'own' | 'stranger' | 'secret' | 'nobody'
  /** Laid over what it adds to the address of ours. */
  readonly back?: Readonly<Record<string, string | undefined>>
  /** Laid over the answer with the tokens. */
  readonly tokens?: Json
  /** Answers the request for tokens instead. */
  readonly token?: (response: ServerResponse) => void
}

interface Asked {
  readonly nonce: string
  readonly challenge: string
  readonly redirectUri: string
}

/** An OpenID Provider that signs in whoever comes, and holds what it is sent against the specification. */
export interface FakeProvider {
  readonly issuer: string
  twist: Twist
  /** Parameters of the last authorization request. */
  readonly asked: URLSearchParams
  /** Paths that were asked, in order. */
  readonly seen: readonly string[]
  /** A person at the address to which ours sent them: where they are sent back to. */
  signIn(location: string): string
  close(): Promise<void>
}

export async function fakeProvider(clock: Clock): Promise<FakeProvider> {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'one', use: 'sig', alg: 'ES256' }
  const codes = new Map<string, Asked>()
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    void answer(request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  const provider = { issuer, twist: {} as Twist, asked: new URLSearchParams(), seen }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    switch (request.url) {
      case '/.well-known/openid-configuration':
        send(response, 200, metadataOf(issuer, provider.twist))
        return
      case '/jwks':
        send(response, 200, { keys: [jwk] })
        return
      case '/userinfo':
        send(response, 200, { sub: 'subject-1', ...provider.twist.userinfo })
        return
      case '/token':
        if (provider.twist.token) provider.twist.token(response)
        else await redeem(request, response)
        return
      default:
        send(response, 404, {})
    }
  }

  const redeem = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await bodyOf(request))
    const asked = codes.get(form.get('code') ?? '')
    if (!isOurs(request)) {
      send(response, 401, { error: 'invalid_client' })
      return
    }
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '')
    const isGood =
      asked?.challenge === challenge.digest('base64url') &&
      asked.redirectUri === form.get('redirect_uri') &&
      codes.delete(form.get('code') ?? '')
    if (!asked || !isGood) {
      send(response, 400, { error: 'invalid_grant' })
      return
    }
    send(response, 200, {
      access_token: 'opaque',
      token_type: 'Bearer',
      expires_in: 60,
      id_token: await idToken(asked),
      ...provider.twist.tokens,
    })
  }

  const idToken = ({ nonce }: Asked): Promise<string> | string => {
    const now = unixSeconds(clock)
    const claims = {
      iss: issuer,
      aud: CLIENT_ID,
      sub: 'subject-1',
      iat: now,
      exp: now + 300,
      nonce,
      at_hash: createHash('sha256').update('opaque').digest().subarray(0, 16).toString('base64url'),
      email: 'guest@partner.example',
      email_verified: true,
      name: 'A Guest',
      ...provider.twist.claims,
    }
    const { signedBy = 'own' } = provider.twist
    if (signedBy === 'nobody') return unsigned(claims)
    if (signedBy === 'secret') return signedBySecret(claims)
    return signed(claims, signedBy === 'own' ? own.privateKey : stranger.privateKey)
  }

  return Object.assign(provider, {
    signIn: (location: string): string => {
      const { searchParams, origin, pathname } = new URL(location)
      if (origin + pathname !== `${issuer}/authorize`) throw new Error(location)
      provider.asked = searchParams
      const redirectUri = searchParams.get('redirect_uri') ?? ''
      const code = randomBytes(16).toString('hex')
      codes.set(code, {
        nonce: searchParams.get('nonce') ?? '',
        challenge: searchParams.get('code_challenge') ?? '',
        redirectUri,
      })
      const state = searchParams.get('state') ?? ''
      return addressOf(redirectUri, { code, state, iss: issuer, ...provider.twist.back })
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  })
}

function metadataOf(issuer: string, { metadata }: Twist): Json {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
    ...metadata,
  }
}

function addressOf(base: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  return `${base}?${new URLSearchParams(given as [string, string][]).toString()}`
}

/** RFC 6749 section 2.3.1. */
function isOurs({ headers }: IncomingMessage): boolean {
  const encoded = [CLIENT_ID, CLIENT_SECRET].map((text) =>
    new URLSearchParams({ '': text }).toString().slice(1),
  )
  return headers.authorization === `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`
}

function signed(claims: Json, key: KeyObject): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(key)
}

/** A key that both sides have: whoever reads our file could sign anybody in. */
function signedBySecret(claims: Json): Promise<string> {
  const key = new TextEncoder().encode(CLIENT_SECRET)
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(key)
}

function unsigned(claims: Json): string {
  const part = (json: Json) => Buffer.from(JSON.stringify(json)).toString('base64url')
  return `${part({ alg: 'none', kid: 'one' })}.${part(claims)}.`
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += String(part)
  return text
}

function send(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
