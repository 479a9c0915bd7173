import type { Bearer, Bearers } from '../../../src/broker/bearers.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import type { GetToken, Served } from '../../../src/broker/get_token.ts'
import { accessTokenOf } from '../../../src/broker/servable.ts'
import { openAuthorization } from '../../../src/compose/authorization.ts'
import { Opened } from '../../../src/compose/opened.ts'
import type { AuthorizationConfig } from '../../../src/config/authorization.ts'
import { resolveConfig } from '../../../src/config/load.ts'
import { systemClock } from '../../../src/platform/clock.ts'
import { testBroker, settled, type TestBroker } from '../../fakes/broker.ts'
import { sidecar } from '../../fakes/config_documents.ts'

/** What no answer to a client may hold. */
export const CANARY = 'canary-token'

/** Tokens of a broker's own workload, as they come from its cache or by an exchange. */
export function ownBearers(getToken: GetToken): Pick<Bearers, 'of'> {
  const bearerOf = ({ servable }: Served): Bearer => ({
    token: accessTokenOf(servable),
    askedAt: 0,
    whenEnded: () => () => {},
  })
  return {
    of: (workload, wish) => {
      const held = getToken.fromCache(workload, wish)
      if (held) return bearerOf(held)
      return getToken
        .byExchange(workload, wish)
        .then((served) => (served instanceof BrokerError ? served : bearerOf(served)))
    },
  }
}

export interface OpenedAuthorization extends TestBroker {
  readonly port: number
  close(): Promise<void>
}

export interface OpenedWish {
  /** The section `broker.authorization`; on a free port unless it says where. */
  readonly section: object
  readonly rateLimit?: { readonly perSecond: number; readonly burst: number }
  /** In place of those of the broker. */
  readonly bearers?: Pick<Bearers, 'of'>
}

/** The listener of a configuration, before a broker whose authority is a fake. */
export async function openedAuthorization({
  section,
  bearers,
  ...wish
}: OpenedWish): Promise<OpenedAuthorization> {
  const broker = testBroker(wish)
  broker.authority.tokenOf = (count) => `${CANARY}-${String(count)}`
  const opened = new Opened()
  const { addresses } = await openAuthorization(
    authorizationOf({ listen: ['127.0.0.1:0'], ...section }),
    { bearers: bearers ?? ownBearers(broker.getToken), pod: broker.workload },
    opened,
    { clock: systemClock, log: broker.log, metrics: broker.metrics },
  )
  return {
    ...broker,
    port: Number(addresses[0]?.split(':')[1]),
    close: () => opened.close(),
  }
}

export function authorizationOf(section: object): AuthorizationConfig {
  const { broker } = resolveConfig(sidecar({ authorization: section }), {})
  if (!broker?.authorization) throw new Error('the document has no such section')
  return broker.authorization
}

/** Lets the broker's time pass until something is settled that waits for it. */
export async function inTime<Result>(
  { clock }: Pick<TestBroker, 'clock'>,
  waitedFor: Promise<Result>,
): Promise<Result> {
  let isSettled = false
  const settle = (): void => {
    isSettled = true
  }
  waitedFor.then(settle, settle)
  for (;;) {
    await settled()
    if (isSettled) return waitedFor
    clock.advance(Math.min(50, clock.untilNext))
  }
}
