import type { Clock } from '../platform/clock.ts'
import { showDuration } from '../platform/duration.ts'
import { HttpFailure } from '../platform/http_client.ts'
import { failed, ok, skipped, type Finding } from './finding.ts'
import type { Probe } from './probe.ts'

/** Beyond this verifiers begin to refuse tokens for their dates. */
const TOLERABLE_SECONDS = 60

/** Link 4: do this machine and the authority agree on the time? By the `Date` of its answer (RFC 9110 section 6.6.1). */
export function clockLink({ outcome, unasked }: Probe, clock: Clock): Finding {
  if (outcome === undefined) return skipped('clock', unasked)
  if (outcome instanceof HttpFailure) return skipped('clock', 'the authority gave no answer')
  const theirs = Date.parse(outcome.header('date') ?? '')
  if (Number.isNaN(theirs)) return skipped('clock', 'the answer of the authority has no date')
  const ahead = Math.round((clock.wall() - theirs) / 1000)
  if (Math.abs(ahead) <= TOLERABLE_SECONDS) {
    return ok('clock', `within ${String(TOLERABLE_SECONDS)} s of the authority`)
  }
  const side = ahead > 0 ? 'ahead of' : 'behind'
  return failed(
    'clock',
    `this machine is ${showDuration(ahead)} ${side} the authority`,
    'set the clock of whichever is wrong: is time synchronization running on this node?',
  )
}
