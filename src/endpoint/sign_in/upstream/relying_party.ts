import * as openid from 'openid-client'
import type { UpstreamConfig } from '../../../config/upstream.ts'
import { unixSeconds, type Clock } from '../../../platform/clock.ts'
import { FileFault, type Files } from '../../../platform/files.ts'
import type { HttpClient } from '../../../platform/http_client.ts'
import { AtHashWrong, goesWith } from './at_hash.ts'
import { boundedFetch } from './bounded_fetch.ts'
import { readIdentity, type UpstreamIdentity } from './claims.ts'
import { Discovery } from './discovery.ts'
import { refusalOf } from './failure.ts'
import { UpstreamRefusal } from './refusal.ts'
import type { Binding, Upstream } from './upstream.ts'

const MAX_SECRET_BYTES = 16_384
const MAX_CA_BYTES = 1_048_576

interface Dependencies {
  readonly http: HttpClient
  readonly files: Files
  readonly clock: Clock
}

/** Us as a client of another OpenID Provider: the code flow with PKCE and nonce (OpenID Connect Core section 3.1). */
export class RelyingParty implements Upstream {
  readonly config: UpstreamConfig
  readonly #dependencies: Dependencies
  readonly #discovery: Discovery
  #keys: openid.ExportedJWKSCache | undefined

  constructor(config: UpstreamConfig, dependencies: Dependencies) {
    this.config = config
    this.#dependencies = dependencies
    this.#discovery = new Discovery(config.issuer, dependencies.clock)
  }

  async authorizationUrl(
    { state, nonce, verifier, redirectUri }: Binding,
    prompt: string | undefined,
  ): Promise<URL | UpstreamRefusal> {
    const client = await this.#client()
    if (client instanceof UpstreamRefusal) return client
    return openid.buildAuthorizationUrl(client, {
      redirect_uri: redirectUri,
      scope: this.config.scopes.join(' '),
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(prompt !== undefined && { prompt }),
    })
  }

  async identify(query: string, binding: Binding): Promise<UpstreamIdentity | UpstreamRefusal> {
    const client = await this.#client()
    if (client instanceof UpstreamRefusal) return client
    try {
      const claims = await claimsOf(client, query, binding)
      this.#keys = openid.getJwksCache(client)
      return readIdentity(claims) ?? new UpstreamRefusal('upstream_claims_wrong')
    } catch (error) {
      return refusalOf(error, 'upstream_answer_wrong')
    }
  }

  /** Made anew each time: the secret and the CA may have changed, and so may what our clock is off by. */
  async #client(): Promise<openid.Configuration | UpstreamRefusal> {
    const { issuer, hosts, clientSecretFile, caFile } = this.config
    try {
      const secret = await this.#read(clientSecretFile, MAX_SECRET_BYTES)
      const ca = await this.#read(caFile, MAX_CA_BYTES)
      const fetch = boundedFetch(this.#dependencies.http, { issuer, hosts, ca })
      return this.#clientOf(await this.#discovery.metadata(fetch), fetch, secret)
    } catch (error) {
      return refusalOf(error, 'upstream_document_wrong')
    }
  }

  #clientOf(
    metadata: openid.ServerMetadata,
    fetch: openid.CustomFetch,
    secret: string | undefined,
  ): openid.Configuration {
    const { clientId } = this.config
    // The library goes by the machine's clock.
    const skew = unixSeconds(this.#dependencies.clock) - Math.floor(Date.now() / 1000)
    const client = new openid.Configuration(
      metadata,
      clientId,
      { [openid.clockSkew]: skew },
      authenticationOf(metadata, secret),
    )
    client[openid.customFetch] = fetch
    openid.allowInsecureRequests(client)
    // The signature of an ID token is checked though it came over TLS: a proxy or a cache could be in between.
    openid.enableNonRepudiationChecks(client)
    if (this.#keys) openid.setJwksCache(client, this.#keys)
    return client
  }

  async #read(path: string | undefined, maxBytes: number): Promise<string | undefined> {
    if (path === undefined) return undefined
    const text = (await this.#dependencies.files.read(path, maxBytes)).toString('utf8').trim()
    if (text === '') throw new FileFault('unreadable', `${path} is empty`)
    return text
  }
}

/** OpenID Connect Core section 9: Basic is what a provider takes that says nothing. */
function authenticationOf(
  { token_endpoint_auth_methods_supported: methods }: openid.ServerMetadata,
  secret: string | undefined,
): openid.ClientAuth {
  if (secret === undefined) return openid.None()
  const isBasic = methods === undefined || methods.includes('client_secret_basic')
  return isBasic ? openid.ClientSecretBasic(secret) : openid.ClientSecretPost(secret)
}

/** What the provider says of the person, verified. */
async function claimsOf(
  client: openid.Configuration,
  query: string,
  { state, nonce, verifier, redirectUri }: Binding,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = new URL(redirectUri)
  answer.search = query
  const tokens = await openid.authorizationCodeGrant(client, answer, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  })
  const { id_token: idToken = '', access_token: accessToken } = tokens
  const claims = tokens.claims()
  if (!claims || !goesWith(idToken, accessToken)) throw new AtHashWrong()
  const isTold = claims['email'] !== undefined || claims['name'] !== undefined
  if (isTold || client.serverMetadata().userinfo_endpoint === undefined) return claims
  // Many say who somebody is only there (OpenID Connect Core section 5.4); the subject has to be the same.
  const { email, email_verified, name } = await openid.fetchUserInfo(
    client,
    accessToken,
    claims.sub,
  )
  return { ...claims, email, email_verified, name }
}
