import Type from 'typebox'
import { OAuthError } from '../../oauth/errors.ts'
import type { Api } from '../../platform/api.ts'
import { authorizeOperations } from './authorize.ts'
import { authzOperations } from './authz.ts'
import { discoveryOperations, keySetAnswer, metadataAnswer } from './discovery.ts'
import { describedCodes, plainRefusal, refusalSchema } from './errors.ts'
import {
  actor,
  introspectionAnswer,
  introspectionOperations,
  introspectionRequest,
  revocationOperations,
  revocationRequest,
} from './introspection.ts'
import { grantAnswer, tokenOperations } from './token.ts'
import { grantRequests } from './token_request.ts'
import { approvalAnswer, pushAnswer, pushRequest, signInOperations } from './sign_in.ts'
import { userinfoAnswer, userinfoOperations } from './userinfo.ts'

/** What an authority serves under its public origin. Made anew with each call. */
export function authorityApi({ origin }: { readonly origin: string }): Api {
  return {
    name: 'authority',
    description:
      'Tokens of the tenants. Unknown paths are answered with 404 as `NothingThere`, other methods with 405 as `MethodRefusal`. What takes GET takes HEAD, and everything takes OPTIONS.',
    servers: [origin],
    securitySchemes,
    schemas: {
      ...grantRequests(),
      GrantAnswer: grantAnswer(),
      IntrospectionRequest: introspectionRequest(),
      IntrospectionAnswer: introspectionAnswer(),
      Actor: actor(),
      RevocationRequest: revocationRequest(),
      Nothing: Type.Object({}, { additionalProperties: false, description: 'Nothing to be said.' }),
      UserinfoAnswer: userinfoAnswer(),
      PushRequest: pushRequest(),
      PushAnswer: pushAnswer(),
      ApprovalAnswer: approvalAnswer(),
      Metadata: metadataAnswer(),
      KeySet: keySetAnswer(),
      AuthorityRefusal: refusalSchema(describedCodes().map((code) => new OAuthError(code))),
      NothingThere: plainRefusal('not_found'),
      MethodRefusal: plainRefusal('invalid_request'),
    },
    operations: [
      ...tokenOperations(),
      ...introspectionOperations(),
      ...revocationOperations(),
      ...userinfoOperations(),
      ...authzOperations(),
      ...authorizeOperations(),
      ...signInOperations(),
      ...discoveryOperations(),
    ],
  }
}

const securitySchemes = {
  clientBasic: {
    type: 'http',
    scheme: 'basic',
    description:
      'Client id and secret (RFC 6749 section 2.3.1). They may be in the body instead, and so may an assertion.',
  },
  bearerToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token of the tenant (RFC 6750 section 2.1).',
  },
  dpopToken: {
    type: 'http',
    scheme: 'dpop',
    description:
      'An access token that is bound to a key, with a proof in `DPoP` (RFC 9449 section 7.1).',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'A key of a client, `lmk_…`. It may come as a bearer token instead.',
  },
} as const
