import { LRUCache } from 'lru-cache'
import type { Clock } from '../platform/clock.ts'
import type { Log, LogFields } from '../platform/log.ts'
import { RateLimit } from './rate_limit.ts'

const LINES = { perSecond: 1, burst: 20 }
/** More kinds than there are; a bound all the same, for some names come from the other side. */
const MAX_KINDS = 256

interface Kind {
  readonly rate: RateLimit
  leftOut: number
}

/**
 * A log for what callers can bring about as often as they like: of warnings and errors of one kind, the first twenty and
 * then one a second. Whoever floods a broker with bad requests would otherwise fill the disk of its node, and take its
 * time. The next line of the kind says how many were left out; the metrics count all of them.
 */
export function sparingLog(log: Log, clock: Clock): Log {
  const kinds = new LRUCache<string, Kind>({ max: MAX_KINDS })
  const kindOf = (message: string, { reason, code, error }: LogFields): Kind => {
    const name = JSON.stringify([message, reason ?? code ?? error])
    const known = kinds.get(name)
    if (known) return known
    const fresh = { rate: new RateLimit(LINES, clock), leftOut: 0 }
    kinds.set(name, fresh)
    return fresh
  }
  const sparingly =
    (level: 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void => {
      const kind = kindOf(message, fields)
      if (!kind.rate.take()) {
        kind.leftOut += 1
        return
      }
      log[level](message, kind.leftOut === 0 ? fields : { ...fields, leftOut: kind.leftOut })
      kind.leftOut = 0
    }
  return {
    debug: (message, fields) => {
      log.debug(message, fields)
    },
    info: (message, fields) => {
      log.info(message, fields)
    },
    warn: sparingly('warn'),
    error: sparingly('error'),
  }
}
