import type { ExchangeFailure } from '../exchange/exchanger.ts'
import { BrokerError } from './errors.ts'

/** What a caller learns of an exchange that brought nothing. */
export function errorOf({ kind, error, retryAfterSeconds }: ExchangeFailure): BrokerError {
  switch (kind) {
    case 'outage': {
      const code = error === 'authority_busy' ? 'authority_busy' : 'authority_unavailable'
      return new BrokerError(code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
    }
    case 'relayed':
      return new BrokerError('request_refused', { error })
    case 'refused':
      return new BrokerError('authority_refused', { error })
  }
}
