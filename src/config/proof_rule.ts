import Type, { type Static } from 'typebox'
import { pathPatternFault } from '../platform/pattern.ts'
import type { Fault } from './document.ts'
import { accountPattern, claimsOf, namespacePattern, printable, uuid } from './forms.ts'

/** Which workloads a rule means, in a trust policy and in the registration of a client that shows a platform's token. */
export const proofRuleSchema = Type.Object(
  {
    provider: Type.String({
      minLength: 1,
      description: 'The provider that vouches for the workload.',
    }),
    namespace: Type.Optional(
      Type.String({
        ...namespacePattern,
        description:
          'Kubernetes: namespace of the pod. `*` stands for any text, with `anyNamespace: true` only.',
      }),
    ),
    serviceAccount: Type.Optional(
      Type.String({
        ...accountPattern,
        description: 'Kubernetes: service account of the pod. `*` stands for any text.',
      }),
    ),
    uid: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9._:-]{1,64}$',
        form: 'letters, digits, dots, dashes, underscores and colons, 64 at most',
        description:
          'Kubernetes: uid of the service account. One that was deleted and made again is another.',
      }),
    ),
    arn: Type.Optional(
      Type.String({
        pattern: '^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/*-]{1,512}$',
        form: 'the ARN of a role or user, such as arn:aws:iam::123456789012:role/reporter',
        description:
          'AWS: ARN of the role or user, never of a session. `*` stands for any text without `/`, `**` at the end for anything.',
      }),
    ),
    uniqueId: Type.Optional(
      Type.String({
        pattern: '^(AROA|AIDA)[A-Z0-9]{12,124}$',
        form: 'the unique id of a role or user: AROA or AIDA, then upper case letters and digits',
        description:
          'AWS: unique id of the role or user. One that was deleted and made again is another. Only signed requests tell it.',
      }),
    ),
    sub: Type.Optional(
      Type.String({
        ...printable,
        description:
          'Google: number of the service account, exactly. OpenID Connect: the `sub`; `*` stands for any text without `/` and `:`, `**` at the end for anything.',
      }),
    ),
    email: Type.Optional(
      Type.String({
        pattern: '^[!-)+-~]{1,320}$',
        form: 'printable ASCII without spaces and stars, 320 characters at most',
        description: 'Google: verified address of the service account, beside `sub`.',
      }),
    ),
    tid: Type.Optional(Type.String({ ...uuid, description: 'Azure: the Entra tenant.' })),
    oid: Type.Optional(
      Type.String({ ...uuid, description: 'Azure: object id of the managed identity.' }),
    ),
    claims: Type.Optional(
      claimsOf({
        description: 'OpenID Connect: texts that claims must have; stars as in `sub`.',
      }),
    ),
    anyNamespace: Type.Boolean({
      default: false,
      description:
        'Allows a star in `namespace`, or in the first three parts of a `sub`, such as another organization or repository.',
    }),
  },
  { additionalProperties: false, description: 'Which workloads are meant.' },
)

export type ProofRuleEntry = Static<typeof proofRuleSchema>

/** What the rule of a provider has to name, by the kind of workload that the provider proves. */
const members = {
  kubernetes: { must: ['namespace', 'serviceAccount'], may: ['uid', 'anyNamespace'] },
  aws: { must: ['arn'], may: ['uniqueId'] },
  gcp: { must: ['sub'], may: ['email'] },
  azure: { must: ['tid', 'oid'], may: [] },
  oidc: { must: ['sub'], may: ['claims', 'anyNamespace'] },
} as const

export type ProvenKind = keyof typeof members

/** Parts of a subject that say whose it is, such as `repo:octo-org/octo-repo`. */
const OWNING_PARTS = 3

/** What the schema cannot say of a rule. `kind`: what its provider proves, where that is known. */
export function proofRuleFaults(
  entry: ProofRuleEntry,
  kind: ProvenKind | undefined,
  path: string,
): readonly Fault[] {
  const faults: Fault[] = []
  const fault = (member: string, message: string): void => {
    faults.push({ path: `${path}.${member}`, message })
  }
  if (kind) memberFaults(entry, kind, fault)
  if (entry.namespace?.includes('*') === true && !entry.anyNamespace) {
    fault('namespace', 'a * reaches into other namespaces and needs anyNamespace: true')
  }
  const { arn, sub, claims = {} } = entry
  const stars: readonly (readonly [string, string | undefined])[] = [
    ['arn', arn],
    ['sub', sub],
    ...Object.entries(claims).map(([name, text]) => [`claims.${name}`, text] as const),
  ]
  for (const [member, text] of stars) {
    const wrong = text === undefined ? undefined : pathPatternFault(text)
    if (wrong !== undefined) fault(member, wrong)
  }
  if (sub?.includes('*') === true) {
    if (kind === 'gcp') fault('sub', 'must be the number itself: any Google account has one')
    const owner = sub.split(/[/:]+/).slice(0, OWNING_PARTS)
    if (kind !== 'gcp' && !entry.anyNamespace && owner.some((part) => part.includes('*'))) {
      fault(
        'sub',
        'a * in the first three parts reaches into what others own and needs anyNamespace: true',
      )
    }
  }
  return faults
}

function memberFaults(
  entry: ProofRuleEntry,
  kind: ProvenKind,
  fault: (member: string, message: string) => void,
): void {
  const { must, may } = members[kind]
  for (const member of must) {
    if (entry[member] === undefined) fault(member, `must be given for a provider of kind ${kind}`)
  }
  const known = new Set<string>(['provider', ...must, ...may])
  for (const [member, value] of Object.entries(entry)) {
    const given = member === 'anyNamespace' ? value === true : value !== undefined
    if (given && !known.has(member)) {
      fault(member, `means nothing for a provider of kind ${kind}`)
    }
  }
}
