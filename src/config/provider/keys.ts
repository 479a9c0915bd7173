import Type, { type Static } from 'typebox'
import { isSafeUrl } from '../../platform/http_client.ts'
import type { ReportFault } from '../document.ts'

const closed = { additionalProperties: false }
const path = (description: string) => Type.String({ minLength: 1, description })

/** Where an issuer's keys come from, as an operator writes it. */
export const keysSchema = Type.Object(
  {
    discovery: Type.Optional(
      Type.Boolean({ description: "Read the issuer's OpenID Connect discovery document." }),
    ),
    jwksUrl: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: 'Read this JWK set.' }),
    ),
    file: Type.Optional(path('Read the JWK set of this file, and follow it.')),
    inline: Type.Optional(
      Type.Object(
        {
          keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
            maxItems: 100,
            description: 'Public keys as JWKs.',
          }),
        },
        { ...closed, description: 'This JWK set.' },
      ),
    ),
    hosts: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        "Hosts beside the issuer's own that discovery may name, and hosts that may have private addresses.",
    }),
    caFile: Type.Optional(path('PEM certificates to trust instead of the system.')),
    bearerTokenFile: Type.Optional(path('Token to send when the keys are fetched.')),
  },
  {
    ...closed,
    description:
      "Where the issuer's keys come from: exactly one of discovery, jwksUrl, file, inline. Absent: where the kind and preset of the provider keep them; of a cluster without preset, the API server of the cluster that this runs in.",
  },
)

export type KeysEntry = Static<typeof keysSchema>

interface FetchedFrom {
  readonly hosts: readonly string[]
  readonly caFile: string | undefined
  readonly bearerTokenFile: string | undefined
}

export type KeysConfig =
  | (FetchedFrom & { readonly from: 'discovery' })
  | (FetchedFrom & { readonly from: 'jwksUrl'; readonly url: URL })
  | { readonly from: 'file'; readonly file: string }
  | { readonly from: 'inline'; readonly jwks: { readonly keys: readonly unknown[] } }

/** `issuer`: the one whose discovery document is read. */
export function resolveKeys(
  keys: Partial<KeysEntry>,
  issuer: string,
  path: string,
  fault: ReportFault,
): KeysConfig {
  const { discovery, jwksUrl, file, inline, hosts = [], caFile, bearerTokenFile } = keys
  const sources = [discovery === true, jwksUrl, file, inline].filter(
    (source) => source !== undefined && source !== false,
  )
  if (sources.length !== 1) {
    fault(`${path}.keys`, 'must have exactly one of discovery, jwksUrl, file, inline')
  }
  if (file !== undefined) return { from: 'file', file }
  if (inline !== undefined) return { from: 'inline', jwks: inline }
  const fetched = { hosts, caFile, bearerTokenFile }
  if (jwksUrl !== undefined) {
    return { from: 'jwksUrl', url: safeUrl(jwksUrl, `${path}.keys.jwksUrl`, fault), ...fetched }
  }
  safeUrl(issuer, `${path}.issuers[0]`, fault)
  return { from: 'discovery', ...fetched }
}

/** An https URL, or a fault. */
export function safeUrl(text: string, path: string, fault: ReportFault): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && isSafeUrl(url)) return url
  fault(path, 'must be an https URL; plain http is for loopback only')
  return new URL('https://invalid.invalid')
}
