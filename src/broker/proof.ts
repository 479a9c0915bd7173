import type { KeySubject } from '../cache/key.ts'
import { tokenTypes, type SubjectTokenType } from '../oauth/token_types.ts'
import { FileFault, type Files } from '../platform/files.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { MAX_TOKEN_BYTES, parseCompactJws } from '../verifier/jws.ts'
import type { BrokerErrorCode } from './errors.ts'

/** The workload's own proof. Judged by its form and dates, not verified: that is the authority's to do. */
export interface Proof {
  readonly token: string
  readonly tokenType: SubjectTokenType
  readonly subject: KeySubject
  /** Unix seconds. */
  readonly expiresAt: number
}

/** What stays known of a proof. The token itself is of use to the exchange only, and is kept no longer than that. */
export type KnownProof = Pick<Proof, 'subject' | 'expiresAt'>

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
  /** Gets and judges a proof for one exchange: from the file, which the kubelet swaps at any time, or from the cloud. */
  read(): Promise<Proof | ProofFault>
  /** The last good one that was read. */
  last(): KnownProof | undefined
}

export interface ProofDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** A source that knows its last proof, and tells the operator of each that was no good. */
export function watchedProofs(
  read: () => Promise<Proof | ProofFault>,
  { log, metrics }: ProofDependencies,
): ProofSource {
  let last: KnownProof | undefined
  let told: ProofFaultCode | undefined
  return {
    last: () => last,
    async read() {
      const proof = await read()
      if (proof instanceof ProofFault) {
        metrics.tally('proofFaults', { code: proof.code }).add()
        if (proof.code !== told) {
          log.warn("the pod's own proof is not usable", { code: proof.code, detail: proof.detail })
        }
        told = proof.code
      } else {
        told = undefined
        last = { subject: proof.subject, expiresAt: proof.expiresAt }
      }
      return proof
    },
  }
}

/** The projected service-account token of the pod, in its volume. */
export function proofFile(
  path: string,
  audience: string,
  dependencies: ProofDependencies & { readonly files: Files },
): ProofSource {
  const { clock, files, metrics } = dependencies
  const proofs = watchedProofs(() => readProof(path, audience, { clock, files }), dependencies)
  metrics.observe('proofRemaining', {}, () => {
    const last = proofs.last()
    return last ? last.expiresAt - unixSeconds(clock) : -1
  })
  return proofs
}

async function readProof(
  path: string,
  audience: string,
  { files, clock }: { readonly files: Files; readonly clock: Clock },
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
  return judgeJwt(text, {
    where: path,
    audience,
    advice: 'set the audience of the projected volume, or broker.proof.audience',
    now: unixSeconds(clock),
  })
}

export interface JwtExpectation {
  /** What holds the token, for the operator. */
  readonly where: string
  readonly audience: string
  /** What to do about another audience. */
  readonly advice: string
  /** Unix seconds. */
  readonly now: number
}

/** Judges a JWT by its form, audience and expiry, as far as whoever shows it can. */
export function judgeJwt(
  text: string,
  { where, audience, advice, now }: JwtExpectation,
): Proof | ProofFault {
  const jws = parseCompactJws(text)
  if (typeof jws === 'string') return new ProofFault('proof_malformed', `${where} holds no JWT`)
  const { compact, payload } = jws
  const { iss, sub, aud, exp } = payload
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') {
    return new ProofFault('proof_malformed', `the token in ${where} lacks iss, sub or exp`)
  }
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.includes(audience)) {
    return new ProofFault(
      'proof_wrong_audience',
      `the token in ${where} is made for another audience than ${audience}; ${advice}`,
    )
  }
  if (exp <= now) return new ProofFault('proof_expired', `the token in ${where} has expired`)
  return {
    token: compact,
    tokenType: tokenTypes.jwt,
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
