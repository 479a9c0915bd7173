import type { Exchanger, ExchangeRequest } from './exchanger.ts'

export interface ExchangeQueue extends Exchanger {
  /** How many wait for their turn. */
  readonly waiting: number
}

/** At most `max` exchanges under way; the others wait, those that nobody waits for behind the rest. */
export function limitedExchanger(inner: Exchanger, max: number): ExchangeQueue {
  const queue: { readonly request: ExchangeRequest; readonly begin: () => void }[] = []
  let underWay = 0
  const next = (): void => {
    // Looked at now: a caller may have come to wait for what was begun for nobody.
    const urgent = queue.findIndex(({ request }) => request.urgent)
    const [first] = queue.splice(Math.max(urgent, 0), 1)
    if (first) first.begin()
    else underWay -= 1
  }
  return {
    get waiting() {
      return queue.length
    },
    async exchange(request) {
      if (underWay < max) underWay += 1
      else {
        await new Promise<void>((begin) => {
          queue.push({ request, begin })
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
