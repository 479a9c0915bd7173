import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { subjectTokenTypes } from '../../oauth/token_types.ts'
import { unixSeconds } from '../../platform/clock.ts'
import type { Random } from '../../platform/random.ts'
import { ProofFault, watchedProofs, type ProofDependencies, type ProofSource } from '../proof.ts'
import { oneFlight } from './flight.ts'

/** The access key of the workload's role. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface RequestTarget {
  readonly region: string
  /** Host of the regional endpoint of STS. */
  readonly host: string
  /** Signed along, so that a request which one authority was shown is worth nothing to another. */
  readonly audience: string
}

/** STS takes a signature for 15 minutes, whatever the request itself says. */
const VALID_SECONDS = 900
const ACTION = { Action: 'GetCallerIdentity', Version: '2011-06-15' }
/** All that is sent, in this order: a strict reader turns away what it does not know. */
const HEADERS = [
  'host',
  'x-amz-date',
  'x-amz-security-token',
  'x-lumo-audience',
  'x-lumo-nonce',
  'authorization',
]
/** Workloads may share credentials and start in the same second: without it they would sign the same request, and the second would be a replay. */
const NONCE_BYTES = 16

/**
 * Proofs that are requests: GetCallerIdentity, signed with the credentials of the workload (SigV4) and not sent, in the
 * encoding that Google's token endpoint takes for an `aws4_request`. The authority sends it to STS and learns whose
 * signature it is. Each is good for one exchange. `credentials` must not reject.
 */
export function signedRequestProofs(
  target: RequestTarget,
  credentials: () => Promise<AwsCredentials | ProofFault>,
  dependencies: ProofDependencies & { readonly random: Random },
): ProofSource {
  const { clock, random } = dependencies
  const current = oneFlight(credentials, clock)
  // Who it is only STS can say. The credentials change all the time and the role does not, so this does not name them.
  const subject = {
    issuer: `https://${target.host}`,
    sub: 'the role of this workload',
    instance: '',
  }
  return watchedProofs(async () => {
    const keys = await current()
    if (keys instanceof ProofFault) return keys
    const signedAt = unixSeconds(clock)
    const nonce = random.bytes(NONCE_BYTES).toString('base64url')
    return {
      token: await signedRequest(target, keys, nonce, new Date(signedAt * 1000)),
      tokenType: subjectTokenTypes.aws4_request,
      subject,
      expiresAt: signedAt + VALID_SECONDS,
    }
  }, dependencies)
}

async function signedRequest(
  { region, host, audience }: RequestTarget,
  credentials: AwsCredentials,
  nonce: string,
  signingDate: Date,
): Promise<string> {
  const signer = new SignatureV4({
    service: 'sts',
    region,
    credentials: { ...credentials, sessionToken: credentials.sessionToken ?? '' },
    sha256: NodeSha256,
    applyChecksum: false,
  })
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: host,
      path: '/',
      query: ACTION,
      headers: { host, 'x-lumo-audience': audience, 'x-lumo-nonce': nonce },
    },
    { signingDate },
  )
  const request = {
    url: `https://${host}/?${new URLSearchParams(ACTION).toString()}`,
    method: 'POST',
    headers: HEADERS.flatMap((key) => {
      const value = headers[key]
      return value === undefined ? [] : [{ key, value }]
    }),
  }
  return encodeURIComponent(JSON.stringify(request))
}

/** SHA-256, or HMAC with it where there is a key, in the shape in which the signer takes it. */
class NodeSha256 {
  readonly #hash
  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(key))
  }
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {
    throw new Error('the signer makes a new one each time')
  }
}

function bytesOf(key: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof key === 'string') return Buffer.from(key)
  return key instanceof ArrayBuffer
    ? new Uint8Array(key)
    : new Uint8Array(key.buffer, key.byteOffset, key.byteLength)
}
