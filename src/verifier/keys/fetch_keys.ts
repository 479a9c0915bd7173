import type { AddressClass } from '../../platform/addresses.ts'
import type { Files } from '../../platform/files.ts'
import {
  HttpFailure,
  isSafeUrl,
  type HttpAnswer,
  type HttpClient,
  type HttpRequest,
} from '../../platform/http_client.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../../platform/strict_json.ts'
import { guardOf } from './key_hosts.ts'
import { KeySet } from './key_set.ts'

export interface FetchedKeys {
  readonly keys: KeySet
  /** What the keys were read from, to be kept. */
  readonly text: string
  /** From `Cache-Control`, where the answer states it. */
  readonly maxAgeSeconds: number | undefined
}

/** How an issuer's keys are fetched. */
export interface KeyLocation {
  /** A JWKS URL, or an issuer whose discovery document names one. */
  readonly from: { readonly jwksUrl: URL } | { readonly discoveryOf: string }
  /** Hosts, with their port where it is not 443, that discovery may name beside the issuer's own, and that may have any address. */
  readonly hosts: readonly string[]
  readonly caFile: string | undefined
  /** A file with the bearer token that the API server asks for at `/openid/v1/jwks`. */
  readonly bearerTokenFile: string | undefined
}

interface FetchDependencies {
  readonly http: HttpClient
  readonly files: Files
}

const MAX_DOCUMENT_BYTES = 524_288
const MAX_CREDENTIAL_BYTES = 16_384
const MAX_CA_BYTES = 1_048_576

/** The key set could not be had. The message is for the operator. */
class KeyFetchFault extends Error {}

/**
 * Fetches a key set as the Kubernetes API server and OpenID Connect Discovery 1.0 (section 4) publish it. The CA and the
 * bearer token are read anew each time: both are rotated under us.
 * @throws Error with a message for the operator
 */
export async function fetchKeys(
  location: KeyLocation,
  dependencies: FetchDependencies,
): Promise<FetchedKeys> {
  const get = await authorizedGet(location, dependencies)
  const url =
    'jwksUrl' in location.from
      ? location.from.jwksUrl
      : await discoverJwksUri(location.from.discoveryOf, location.hosts, get)
  const answer = await get(url)
  const keys = KeySet.parse(answer.body)
  // An issuer without keys is one that is being set up or taken down, and no reason to forget those that were good.
  if (keys.size === 0) throw new KeyFetchFault(`the key set at ${url.host} has no usable key`)
  return {
    keys,
    text: answer.body,
    maxAgeSeconds: maxAgeOf(answer.header('cache-control')),
  }
}

type Get = (url: URL) => Promise<HttpAnswer>

async function authorizedGet(
  location: KeyLocation,
  { http, files }: FetchDependencies,
): Promise<Get> {
  const read = async (path: string | undefined, maxBytes: number): Promise<string | undefined> =>
    path === undefined ? undefined : (await files.read(path, maxBytes)).toString('utf8').trim()
  const ca = await read(location.caFile, MAX_CA_BYTES)
  const bearer = await read(location.bearerTokenFile, MAX_CREDENTIAL_BYTES)
  if (bearer === '') throw new KeyFetchFault('the bearer token file is empty')
  const ask = guarded(location, http)
  return async (url) => {
    if (!isSafeUrl(url)) throw new KeyFetchFault(`${url.host} is asked by https only`)
    const answer = await ask({
      method: 'GET',
      url,
      headers: {
        accept: 'application/jwk-set+json, application/json',
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      },
      ...(ca !== undefined && { ca }),
      connectTimeoutMs: 2_000,
      totalTimeoutMs: 5_000,
      maxBytes: MAX_DOCUMENT_BYTES,
    })
    if (answer.status !== 200) {
      throw new KeyFetchFault(`${url.host} answered ${String(answer.status)}`)
    }
    return answer
  }
}

/** Puts the rule of the location on every request, and its refusal into words that name the setting. */
function guarded(location: KeyLocation, http: HttpClient): HttpClient {
  return async (request: HttpRequest) => {
    const guard = guardOf(request.url, location)
    try {
      return await http({ ...request, mayConnectTo: guard.mayConnectTo })
    } catch (error) {
      if (!(error instanceof HttpFailure) || error.code !== 'address_refused') throw error
      throw new KeyFetchFault(
        `${request.url.host} has ${PHRASES[guard.refused() ?? 'private']}; list that host under keys.hosts if it is right`,
      )
    }
  }
}

const PHRASES: Readonly<Record<AddressClass, string>> = {
  public: 'a public address',
  private: 'a private address',
  loopback: 'a loopback address',
  link_local: 'a link-local address',
  metadata: 'the address of a metadata service',
}

async function discoverJwksUri(issuer: string, hosts: readonly string[], get: Get): Promise<URL> {
  const at = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const document = readJson((await get(at)).body, at.host)
  // A document of another issuer here is the mix-up that RFC 8414 section 3.3 tells to refuse.
  if (!isJsonObject(document) || document['issuer'] !== issuer) {
    throw new KeyFetchFault(`the discovery document at ${at.host} is not that of the issuer`)
  }
  const uri = document['jwks_uri']
  if (typeof uri !== 'string' || !URL.canParse(uri)) {
    throw new KeyFetchFault(`the discovery document at ${at.host} names no jwks_uri`)
  }
  const url = new URL(uri)
  // Whoever can write the document must not be able to send us, with our token, to any host they like.
  if (url.host !== at.host && !hosts.includes(url.host)) {
    throw new KeyFetchFault(
      `the discovery document at ${at.host} names a jwks_uri on another host; list that host under keys.hosts if it is right`,
    )
  }
  return url
}

function readJson(text: string, host: string): unknown {
  try {
    return parseStrictJson(text)
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    throw new KeyFetchFault(`the discovery document at ${host} cannot be read: ${error.message}`)
  }
}

function maxAgeOf(cacheControl: string | undefined): number | undefined {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}
