import type { Exchanger, ExchangeRequest } from './exchanger.ts'

export interface ExchangeQueue extends Exchanger {
  /** How many wait for their turn. */
  readonly waiting: number
  /**
   * Runs some work in its turn, which ends with it. The work exchanges by what it is given: the queue itself would have it
   * wait for a turn within its turn.
   */
  inTurn<Result>(order: Order, work: (exchanger: Exchanger) => Promise<Result>): Promise<Result>
}

/** What decides when it is whose turn; read each time. */
type Order = Pick<ExchangeRequest, 'owner' | 'urgent'>

interface Waiting {
  readonly order: Order
  readonly begin: () => void
}

/**
 * At most `max` exchanges under way. Of those that wait, the ones that somebody waits for go first, and of these one for
 * each owner in turn: in one line for all, a pod that asks for a thousand targets would hold up its neighbours.
 */
export function limitedExchanger(inner: Exchanger, max: number): ExchangeQueue {
  const lines = new Map<object, Waiting[]>()
  const shared = {}
  let underWay = 0
  const next = (): void => {
    const first = takeFrom(lines)
    if (first) first.begin()
    else underWay -= 1
  }
  const inTurn: ExchangeQueue['inTurn'] = async (order, work) => {
    if (underWay < max) underWay += 1
    else {
      await new Promise<void>((begin) => {
        const owner = order.owner ?? shared
        const line = lines.get(owner) ?? []
        line.push({ order, begin })
        lines.set(owner, line)
      })
    }
    try {
      return await work(inner)
    } finally {
      next()
    }
  }
  return {
    get waiting() {
      return [...lines.values()].reduce((sum, line) => sum + line.length, 0)
    },
    inTurn,
    exchange: (request) => inTurn(request, (exchanger) => exchanger.exchange(request)),
  }
}

/** The owner that was served goes behind the others. */
function takeFrom(lines: Map<object, Waiting[]>): Waiting | undefined {
  const [owner, place] = urgentIn(lines) ?? [lines.keys().next().value, 0]
  const line = owner && lines.get(owner)
  if (!line) return undefined
  const [taken] = line.splice(place, 1)
  lines.delete(owner)
  if (line.length > 0) lines.set(owner, line)
  return taken
}

/** Looked for at each turn: a caller may have come to wait for what was begun for nobody. */
function urgentIn(lines: ReadonlyMap<object, readonly Waiting[]>): [object, number] | undefined {
  for (const [owner, line] of lines) {
    const place = line.findIndex(({ order }) => order.urgent)
    if (place >= 0) return [owner, place]
  }
  return undefined
}
