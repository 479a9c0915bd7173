import type { KeySubject } from '../cache/key.ts'
import { FileFault, type Files } from '../platform/files.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { MAX_TOKEN_BYTES, parseCompactJws, type UnverifiedJws } from '../verifier/jws.ts'
import type { BrokerErrorCode } from './errors.ts'

/** The pod's own proof as it lay in its file. Judged by its form and dates, not verified: that is the authority's to do. */
export interface Proof {
  readonly token: string
  readonly subject: KeySubject
  /** Unix seconds. */
  readonly expiresAt: number
}

export type ProofFaultCode = Extract<BrokerErrorCode, `proof_${string}`>

/** Our own proof is no good, which is never the caller's fault. */
export class ProofFault {
  readonly code: ProofFaultCode
  readonly detail: string
  constructor(code: ProofFaultCode, detail: string) {
    this.code = code
    this.detail = detail
  }
}

/** Where the broker's proof comes from. */
export interface ProofSource {
  /** Reads and judges anew: before every exchange, for the kubelet swaps it at any time. */
  read(): Promise<Proof | ProofFault>
  /** The last good one that was read. */
  last(): Proof | undefined
}

interface ProofFileDependencies {
  readonly files: Files
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** The projected service-account token of the pod, in its volume. */
export function proofFile(
  path: string,
  audience: string,
  dependencies: ProofFileDependencies,
): ProofSource {
  const { clock, log, metrics } = dependencies
  let last: Proof | undefined
  metrics.observe('proofRemaining', {}, () => (last ? last.expiresAt - unixSeconds(clock) : -1))
  return {
    last: () => last,
    async read() {
      const proof = await readProof(path, audience, dependencies)
      if (proof instanceof ProofFault) {
        metrics.tally('proofFaults', { code: proof.code }).add()
        log.warn("the pod's own proof is not usable", { code: proof.code, detail: proof.detail })
      } else last = proof
      return proof
    },
  }
}

async function readProof(
  path: string,
  audience: string,
  { files, clock }: ProofFileDependencies,
): Promise<Proof | ProofFault> {
  let text: string
  try {
    text = (await files.read(path, MAX_TOKEN_BYTES)).toString('utf8').trim()
  } catch (error) {
    if (!(error instanceof FileFault)) throw error
    return error.code === 'absent'
      ? new ProofFault('proof_missing', `${error.message}; is the projected volume mounted?`)
      : new ProofFault('proof_unreadable', error.message)
  }
  if (text === '') return new ProofFault('proof_empty', `${path} is empty`)
  const jws = parseCompactJws(text)
  if (typeof jws === 'string') return new ProofFault('proof_malformed', `${path} holds no JWT`)
  return judge(jws, path, audience, unixSeconds(clock))
}

function judge(
  { compact, payload }: UnverifiedJws,
  path: string,
  audience: string,
  now: number,
): Proof | ProofFault {
  const { iss, sub, aud, exp } = payload
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') {
    return new ProofFault('proof_malformed', `the token in ${path} lacks iss, sub or exp`)
  }
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.includes(audience)) {
    return new ProofFault(
      'proof_wrong_audience',
      `the token in ${path} is made for another audience than ${audience}; set the audience of the projected volume, or broker.proof.audience`,
    )
  }
  if (exp <= now) return new ProofFault('proof_expired', `the token in ${path} has expired`)
  return {
    token: compact,
    subject: { issuer: iss, sub, instance: podUidOf(payload) },
    expiresAt: exp,
  }
}

function podUidOf(payload: Readonly<Record<string, unknown>>): string {
  const bound = payload['kubernetes.io']
  const pod = isJsonObject(bound) ? bound['pod'] : undefined
  const uid = isJsonObject(pod) ? pod['uid'] : undefined
  return typeof uid === 'string' ? uid : ''
}
