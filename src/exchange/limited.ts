import type { Exchanger } from './exchanger.ts'

export interface ExchangeQueue extends Exchanger {
  /** How many wait for their turn. */
  readonly waiting: number
}

/** At most `max` exchanges under way; the others wait, those that nobody waits for behind the rest. */
export function limitedExchanger(inner: Exchanger, max: number): ExchangeQueue {
  const urgent: (() => void)[] = []
  const ahead: (() => void)[] = []
  let underWay = 0
  const next = (): void => {
    const begin = urgent.shift() ?? ahead.shift()
    if (begin) begin()
    else underWay -= 1
  }
  return {
    get waiting() {
      return urgent.length + ahead.length
    },
    async exchange(request) {
      if (underWay < max) underWay += 1
      else {
        await new Promise<void>((begin) => {
          ;(request.urgent ? urgent : ahead).push(begin)
        })
      }
      try {
        return await inner.exchange(request)
      } finally {
        next()
      }
    },
  }
}
