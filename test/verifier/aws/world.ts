import { unixSeconds, type Clock } from '../../../src/platform/clock.ts'
import { nodeHttpClient } from '../../../src/platform/http_client.ts'
import {
  verifySignedRequest,
  type SignedRequestProvider,
} from '../../../src/verifier/aws/aws_request.ts'
import { Questions } from '../../../src/verifier/aws/questions.ts'
import { parseSignedRequest } from '../../../src/verifier/aws/signed_request.ts'
import type { WorkloadFacts } from '../../../src/verifier/identity.ts'
import { CannotVerify, ProofRefusal, type RefusalCode } from '../../../src/verifier/refusal.ts'
import type { FakeClock } from '../../fakes/clock.ts'
import { FakeSts, type RoleCredentials } from '../../fakes/sts.ts'
import { signParts, type RequestParts, type SigningWish } from '../../fakes/sts/signed_token.ts'

export const AUDIENCE = 'https://auth.example.com/t/acme/api/v1'
export const ACCOUNT = '111122223333'

export type Outcome = 'accepted' | 'cannot_verify' | RefusalCode

/** One STS, one role with a session, and a provider that accepts it. */
export class AwsWorld<C extends Clock = FakeClock> {
  readonly clock: C
  readonly sts: FakeSts
  readonly role: RoleCredentials
  /** What `once` took, with until when. */
  readonly spent = new Map<string, number>()

  constructor(clock: C) {
    this.clock = clock
    this.sts = new FakeSts({ clock, account: ACCOUNT })
    this.role = this.sts.addRole('payments')
  }

  parts(wish: Partial<SigningWish> = {}): RequestParts {
    return signParts({
      credentials: this.role,
      audience: AUDIENCE,
      at: unixSeconds(this.clock),
      ...wish,
    })
  }

  provider(changes: Partial<SignedRequestProvider> = {}): SignedRequestProvider {
    return {
      name: 'aws',
      kind: 'aws4_request',
      audiences: [AUDIENCE],
      partition: 'aws',
      regions: ['eu-west-1', 'us-east-1'],
      accounts: [ACCOUNT],
      maxAgeSeconds: 300,
      endpoint: 'endpoint' in changes ? changes.endpoint : new URL(this.sts.origin),
      ask: nodeHttpClient(this.clock, {}),
      questions: new Questions(),
      once: (hash, until) => {
        const first = !this.spent.has(hash)
        if (first) this.spent.set(hash, until)
        return Promise.resolve(first)
      },
      ...changes,
    }
  }

  async judge(
    token: string,
    provider = this.provider(),
  ): Promise<WorkloadFacts | ProofRefusal | CannotVerify> {
    const request = parseSignedRequest(token)
    return request instanceof ProofRefusal
      ? request
      : verifySignedRequest(request, provider, this.clock)
  }
}

export function outcomeOf(result: WorkloadFacts | ProofRefusal | CannotVerify): Outcome {
  if (result instanceof ProofRefusal) return result.code
  return result instanceof CannotVerify ? 'cannot_verify' : 'accepted'
}
