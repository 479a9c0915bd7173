import Type, { type Static } from 'typebox'
import { signatureAlgorithms } from '../../oauth/signature_algorithms.ts'
import { claimsOf, identifier, uuid } from '../forms.ts'
import { keysSchema } from './keys.ts'

const closed = { additionalProperties: false }
const url = { minLength: 1, maxLength: 512 }
const path = (description: string) => Type.String({ minLength: 1, description })

/** Who may vouch for workloads, as an operator writes it. Which settings go with which kind is checked by `resolve.ts`. */
export const providerSchema = Type.Object(
  {
    name: Type.String({ ...identifier, description: 'What the trust policy calls it.' }),
    kind: Type.Enum(['kubernetes', 'aws', 'gcp', 'azure', 'oidc'], {
      description:
        'kubernetes: projected service-account tokens of a cluster. aws: what `form` says. gcp: identity tokens of Google service accounts. azure: access tokens of Entra managed identities. oidc: ID tokens of any OpenID Connect issuer.',
    }),
    preset: Type.Optional(
      Type.Enum(['eks', 'gke', 'aks', 'kind', 'k3s'], {
        description:
          'kubernetes: whose cluster it is, for the form of its issuer and where its keys lie.',
      }),
    ),
    form: Type.Optional(
      Type.Enum(['web-identity', 'signed-request', 'irsa', 'pod-identity'], {
        description:
          "aws: web-identity: tokens of sts:GetWebIdentityToken. signed-request: a signed GetCallerIdentity request. irsa, pod-identity: the tokens that EKS puts into pods for AWS's own use, which are bearer credentials there.",
      }),
    ),
    issuers: Type.Optional(
      Type.Array(Type.String(url), {
        minItems: 1,
        maxItems: 8,
        description:
          'Accepted `iss` values, byte for byte; several during a migration, the current one first.',
      }),
    ),
    audiences: Type.Optional(
      Type.Array(Type.String(url), {
        minItems: 1,
        maxItems: 8,
        description: "Audiences of accepted proofs. Default: the tenant's issuer URL.",
      }),
    ),
    algorithms: Type.Optional(
      Type.Array(Type.Enum([...signatureAlgorithms]), {
        minItems: 1,
        description: 'Signature algorithms that are accepted. Default: those that the kind uses.',
      }),
    ),
    maxAge: Type.Optional(
      Type.Integer({
        minimum: 30,
        maximum: 86_400,
        description:
          'Seconds since `iat` (of a signed request: its date) after which a proof is too old, whatever its `exp` says. Default: web-identity and signed-request 300, irsa and pod-identity 72000, others none.',
      }),
    ),
    requiredClaims: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      default: [],
      maxItems: 20,
      description: 'Claims that a proof must have beside those that its kind needs.',
    }),
    claims: claimsOf({
      default: {},
      description:
        'Texts that claims of every proof must have, by the exact name of a top-level claim; `*` stands for any text without `/` and `:`, `**` at the end for anything.',
    }),
    requirePod: Type.Optional(
      Type.Boolean({
        description:
          'kubernetes: accept only tokens that are bound to a pod (default: true). Others can be made by whoever may create tokens for the account.',
      }),
    ),
    node: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 253,
        description: 'kubernetes: accept only tokens of pods on this node.',
      }),
    ),
    tokenReview: Type.Optional(
      Type.Enum(['off', 'preferred', 'required'], {
        description:
          'kubernetes: ask the API server as well, which knows of pods that are gone. preferred: go without it when it cannot be asked. Default: off.',
      }),
    ),
    kubeconfig: Type.Optional(
      path(
        'kubernetes: how to reach the API server for tokenReview. Default: as from inside a pod.',
      ),
    ),
    accounts: Type.Optional(
      Type.Array(
        Type.String({ pattern: '^[0-9]{12}$', form: 'the 12 digits of an account in quotes' }),
        {
          minItems: 1,
          maxItems: 200,
          uniqueItems: true,
          description:
            'aws: accounts whose principals are accepted; of web-identity the one account.',
        },
      ),
    ),
    partition: Type.Optional(
      Type.Enum(['aws', 'aws-cn', 'aws-us-gov'], { description: 'aws: default aws.' }),
    ),
    regions: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[a-z]{2}(-[a-z]+)+-[0-9]$',
          form: 'a region, such as eu-central-1',
        }),
        {
          minItems: 1,
          maxItems: 50,
          uniqueItems: true,
          description: 'aws, signed-request: regions whose STS may be asked.',
        },
      ),
    ),
    stsEndpoint: Type.Optional(
      Type.String({
        ...url,
        description:
          'aws, signed-request: where STS is asked instead of its public host, such as a VPC endpoint.',
      }),
    ),
    tenantId: Type.Optional(
      Type.String({
        ...uuid,
        description: 'azure: the Entra tenant.',
      }),
    ),
    keyStaleness: Type.Integer({
      default: 86_400,
      minimum: 60,
      maximum: 604_800,
      description: 'Seconds for which the last good key set serves when it cannot be fetched anew.',
    }),
    keys: Type.Optional(keysSchema),
  },
  { ...closed, description: 'Who may vouch for workloads.' },
)

export type ProviderEntry = Static<typeof providerSchema>
