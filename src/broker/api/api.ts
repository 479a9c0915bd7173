import Type from 'typebox'
import type { Api, ApiOperation, ApiParameter } from '../../platform/api.ts'
import { BrokerError } from '../errors.ts'
import {
  actClaim,
  delegationOperations,
  exchangeAnswer,
  exchangeRequest,
  pendingAnswer,
  sessionAnswer,
  sessionRequest,
  settledAnswer,
} from './delegation.ts'
import { discoveryOperations } from './discovery.ts'
import { dropInAnswer, dropInOperations, dropInRequest } from './drop_in.ts'
import { refusalSchema, refusalsWhere, type Refusals } from './errors.ts'
import { forwardedOperations } from './forwarded.ts'
import { identityAnswer, identityOperation } from './identity.ts'
import { describedCodes } from './places.ts'
import { tokenAnswer, tokenOperations, tokenRequest } from './token.ts'

export interface BrokerApiSettings {
  /** Base URLs of the listener. */
  readonly servers: readonly string[]
  /** Whether every caller shows a proof of its own: a broker for more than one pod. */
  readonly callersProve: boolean
  /** Whether unmodified OAuth clients get tokens. */
  readonly dropIn: boolean
}

/** What a broker serves to pods. Made anew with each call. */
export function brokerApi(settings: BrokerApiSettings): Api {
  const { servers, callersProve, dropIn } = settings
  const common = {
    parameters: [guardHeader()],
    security: callersProve ? [['callerProof']] : [],
  }
  const refusalsAt = refusalsWhere({ callersProve })
  return {
    name: 'broker',
    description:
      'Access tokens for the workload. Whatever can be answered is answered as JSON; unknown paths with 404 and other methods with 405, as `BrokerRefusal`.',
    servers,
    securitySchemes: securitySchemes(settings),
    schemas: {
      TokenRequest: tokenRequest(),
      TokenAnswer: tokenAnswer(),
      ExchangeRequest: exchangeRequest(),
      ActClaim: actClaim(),
      ExchangeAnswer: exchangeAnswer(),
      PendingAnswer: pendingAnswer(),
      SettledAnswer: settledAnswer(),
      SessionRequest: sessionRequest(),
      SessionAnswer: sessionAnswer(),
      IdentityAnswer: identityAnswer(),
      BrokerRefusal: refusalSchema(describedCodes().map((code) => new BrokerError(code))),
      ...(dropIn && {
        DropInRequest: dropInRequest(callersProve),
        DropInAnswer: dropInAnswer(),
      }),
    },
    operations: [
      ...tokenOperations(common, refusalsAt),
      ...delegationOperations(common, refusalsAt),
      identityOperation(common, refusalsAt),
      ...openOperations(settings, refusalsAt),
    ],
  }
}

/** The routes of clients that know no broker. A broker for other pods passes nothing on. */
function openOperations(
  { callersProve, dropIn }: BrokerApiSettings,
  refusalsAt: Refusals,
): readonly ApiOperation[] {
  return [
    // What is shown in the body is no scheme that OpenAPI has a name for: nothing needs to be shown beside it.
    ...(dropIn ? dropInOperations([['clientSecret'], []], refusalsAt) : []),
    ...(callersProve ? [] : forwardedOperations(refusalsAt)),
    ...discoveryOperations(refusalsAt),
  ]
}

/** A page in a browser, and whoever can make a program fetch a URL, cannot set it. */
function guardHeader(): ApiParameter {
  return {
    name: 'Lumo-Broker',
    in: 'header',
    required: true,
    description: 'Shows that the request was meant for the broker.',
    schema: Type.Literal('true'),
  }
}

function securitySchemes({ callersProve, dropIn }: BrokerApiSettings): Api['securitySchemes'] {
  const secret = callersProve ? "the caller's own projected token" : 'the local guard value'
  return {
    ...(callersProve && {
      callerProof: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: "The caller's own projected service-account token.",
      },
    }),
    ...((dropIn || !callersProve) && {
      clientSecret: {
        type: 'http',
        scheme: 'basic',
        description: `A client id, and as its secret ${secret}; at what is forwarded what the authority knows.`,
      },
    }),
    ...(!callersProve && {
      forwardedToken: {
        type: 'http',
        scheme: 'bearer',
        description: 'An access token of the tenant.',
      },
    }),
  }
}
