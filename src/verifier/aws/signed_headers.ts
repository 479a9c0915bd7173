import { isJsonObject } from '../../platform/strict_json.ts'
import { ProofRefusal } from '../refusal.ts'

/** `e3b0…b855`: what signers write that hash the body although it is empty. */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** The header that binds a request to us: nobody else has a use for it, and without it we have none. */
export const AUDIENCE_HEADER = 'x-lumo-audience'

/** Whatever a signer likes, so that two requests of one second with one access key are two and not one shown twice. */
const NONCE_HEADER = 'x-lumo-nonce'

const MAX_VALUE = 2_048
/** AWS states no length for session tokens, and says that they grow. */
const MAX_SESSION_TOKEN = 8_192

/**
 * The headers that may stand in a request, and nothing else may. `x-k8s-aws-id`, `x-goog-cloud-target-resource` or
 * `x-vault-aws-iam-server-id` would make us pass on what was signed for another verifier. `content-type` and
 * `content-length` say how a body is read, there is none, and no signer writes them for none (aws4, @smithy/signature-v4,
 * botocore). `accept` chooses how STS writes its answer, which is for us to choose (CVE-2020-16250).
 */
const ALLOWED: ReadonlySet<string> = new Set([
  'authorization',
  'host',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
  AUDIENCE_HEADER,
  NONCE_HEADER,
])

/**
 * Reads `[{key, value}]` into a map by lower-case name, with every rule on names and values checked. Their number needs no
 * bound of its own: each name is one of a few, and stands once.
 */
export function parseHeaders(list: unknown): ReadonlyMap<string, string> | ProofRefusal {
  const malformed = (detail: string) => new ProofRefusal('request_malformed', detail)
  if (!Array.isArray(list)) return malformed('headers is no list')
  const headers = new Map<string, string>()
  for (const entry of list as readonly unknown[]) {
    const header = parseHeader(entry)
    if (header instanceof ProofRefusal) return header
    if (headers.has(header.name)) return malformed('a header stands twice')
    headers.set(header.name, header.value)
  }
  const hash = headers.get('x-amz-content-sha256')
  if (hash !== undefined && hash !== EMPTY_SHA256) {
    return new ProofRefusal(
      'request_not_allowed',
      'x-amz-content-sha256 is not that of an empty body',
    )
  }
  return headers
}

function parseHeader(
  entry: unknown,
): { readonly name: string; readonly value: string } | ProofRefusal {
  const malformed = (detail: string) => new ProofRefusal('request_malformed', detail)
  if (!isJsonObject(entry) || !hasExactly(entry, ['key', 'value'])) {
    return malformed('a header is not one key and one value')
  }
  const { key, value } = entry
  // Checked before the case is folded: the Kelvin sign becomes a k.
  if (typeof key !== 'string' || !/^[A-Za-z0-9-]{1,64}$/.test(key)) {
    return malformed('a header has no usable name')
  }
  const name = key.toLowerCase()
  if (!ALLOWED.has(name)) {
    return new ProofRefusal('request_not_allowed', 'a header is not among those allowed')
  }
  const longest = name === 'x-amz-security-token' ? MAX_SESSION_TOKEN : MAX_VALUE
  // A line end in a value would write headers of its own into our request; spaces at its ends are not signed.
  if (
    typeof value !== 'string' ||
    value.length > longest ||
    !/^[!-~](?:[ -~]*[!-~])?$/.test(value)
  ) {
    return malformed('a header has no usable value')
  }
  return { name, value }
}

/** True when an object has these members and no others. */
export function hasExactly(value: object, names: readonly string[]): boolean {
  const own = Object.keys(value)
  return own.length === names.length && names.every((name) => own.includes(name))
}
