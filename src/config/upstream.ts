import Type, { type Static } from 'typebox'
import { isSafeUrl } from '../platform/http_client.ts'
import type { ReportFault } from './document.ts'
import { printable, scopeValue, slug } from './forms.ts'

const path = (description: string) => Type.String({ minLength: 1, description })

/** Another OpenID Provider that signs people in, as an operator writes it. */
export const upstreamSchema = Type.Object(
  {
    name: Type.String({
      ...slug,
      description: 'What its addresses here and the audit trail call it.',
    }),
    label: Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'What people read after "Sign in with".',
    }),
    issuer: Type.String({
      minLength: 1,
      maxLength: 512,
      description: 'Its issuer, to the character; its discovery document lies below.',
    }),
    clientId: Type.String({ ...printable, description: 'What we are registered as there.' }),
    clientSecretFile: Type.Optional(
      path('File with our secret there; read at each sign-in. Absent: we have none.'),
    ),
    scopes: Type.Array(Type.String(scopeValue), {
      default: ['openid', 'email', 'profile'],
      minItems: 1,
      maxItems: 20,
      uniqueItems: true,
      description: 'What is asked for there; `openid` must be among it.',
    }),
    caFile: Type.Optional(
      path('PEM certificates to trust for it instead of the system; read at each sign-in.'),
    ),
    hosts: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      default: [],
      maxItems: 20,
      uniqueItems: true,
      description:
        'Hosts, with their port where it is not 443, that it may name beside its own though they have a private address.',
    }),
    users: Type.Enum(['known', 'anyone'], {
      default: 'known',
      description:
        'known: those whom `lumo-broker users add --upstream` let in. anyone: whoever it signs in.',
    }),
    emailDomains: Type.Array(
      Type.String({
        pattern: '^[a-z0-9-]+(\\.[a-z0-9-]+)*$',
        maxLength: 253,
        form: 'a domain in lower case, such as example.com',
      }),
      {
        default: [],
        maxItems: 100,
        uniqueItems: true,
        description:
          'anyone: only with a verified address in one of these domains. Default: with any or none.',
      },
    ),
  },
  { additionalProperties: false, description: 'Another OpenID Provider.' },
)

export type UpstreamConfig = Readonly<Static<typeof upstreamSchema>>

/** The cross rules of `authority.tenants[].upstreams`. `issuer`: that of the tenant. */
export function checkUpstreams(
  entries: readonly UpstreamConfig[],
  path: string,
  issuer: string,
  fault: ReportFault,
): void {
  entries.forEach((entry, index) => {
    checkUpstream(entry, `${path}[${String(index)}]`, issuer, fault)
  })
  // Of two with one issuer, the laxer would decide who is let in.
  for (const member of ['name', 'issuer'] as const) {
    if (new Set(entries.map((entry) => entry[member])).size < entries.length) {
      fault(path, `two upstreams have the same ${member}`)
    }
  }
}

function checkUpstream(
  { issuer, scopes, users, emailDomains }: UpstreamConfig,
  path: string,
  own: string,
  fault: ReportFault,
): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || !isSafeUrl(url) || url.search !== '' || /[?#]/.test(issuer)) {
    fault(`${path}.issuer`, 'must be an https URL without a query; plain http is for loopback only')
  }
  if (issuer === own) fault(`${path}.issuer`, 'must not be that of the tenant itself')
  if (!scopes.includes('openid')) fault(`${path}.scopes`, 'must hold openid')
  if (users === 'known' && emailDomains.length > 0) {
    fault(`${path}.emailDomains`, 'is for users: anyone')
  }
}
