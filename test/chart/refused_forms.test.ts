import { describe, expect, test } from 'vitest'
import { template, type Values } from './chart.ts'

interface Form {
  /** The value, as the sentence names it. */
  readonly where: string
  /** What a person is told to do. */
  readonly says: string
  readonly wrong: readonly string[]
  /** None where a sound one needs more values beside it. */
  readonly right: readonly string[]
}

const audience = {
  says: 'give printable ASCII without spaces',
  wrong: ['a b', 'caf\u00e9'],
  right: ['', 'https://docs.example.com/'],
}
const registry = {
  says: 'give host and port alone',
  wrong: ['https://registry.example.com', 'registry.example.com/'],
  right: ['', 'registry.example.com:5000/mirror'],
}
const proxy = {
  says: 'give http:// or https://, host and port',
  wrong: ['proxy.example.com:3128', 'http://proxy.example.com/a'],
  right: ['', 'http://proxy.example.com:3128/'],
}
const network = {
  says: 'give an address, a slash and the number of its bits, such as 10.0.0.0/8',
  wrong: ['db.example.com', '10.0.0.1', '999.1.1.1/99', '10.0.0.0/33', '::/129', ':::::/0'],
  right: ['10.0.0.0/8', '0.0.0.0/0', '::/0', '2001:db8::/32', 'fe80::1:2/128', '::1/128'],
}

const forms: readonly Form[] = [
  {
    where: 'tenant',
    says: 'give the slug of the tenant',
    wrong: ['Acme', 'acme_corp', '', '-a'],
    right: ['a', 'acme-corp'],
  },
  {
    where: 'issuerURL',
    says: 'give the whole issuer of the tenant, such as https://auth.example.com/t/',
    wrong: [
      'https://auth.example.com',
      'http://auth.example.com/t/acme-corp/api/v1',
      'https://auth.example.com/t/acme-corp/api/v1/',
      'https://Auth.example.com/t/acme-corp/api/v1',
      'https://auth..example.com/t/acme-corp/api/v1',
    ],
    right: ['', 'https://auth.example.com:8443/t/acme-corp/api/v1'],
  },
  {
    where: 'clusterName',
    says: 'give letters, digits, dots, dashes and underscores',
    wrong: ['', 'prod eu', '-prod'],
    right: ['prod_EU.1'],
  },
  { where: 'proofAudience', ...audience },
  { where: 'helmTest.audience', ...audience, right: [] },
  {
    where: 'cluster.issuer',
    says: 'kubectl get --raw /.well-known/openid-configuration',
    wrong: ['', 'kubernetes.default.svc', 'https://a b'],
    right: ['https://oidc.eks.eu-central-1.amazonaws.com/id/1'],
  },
  { where: 'image.registry', ...registry },
  { where: 'global.imageRegistry', ...registry },
  { where: 'authority.proxy.url', ...proxy },
  { where: 'node.proxy.url', ...proxy },
  {
    where: 'authority.persistence.size',
    says: 'give a number and a unit without a space between, such as 5Gi',
    wrong: ['', 'big', '5 Gi', '1.2.3Gi', '...'],
    right: ['5Gi', '1.5T', '1000000000'],
  },
  {
    where: 'metrics.podMonitor.interval',
    says: 'such as 30s',
    wrong: ['', '30', '30 s', 'often'],
    right: ['1m', '500ms'],
  },
  {
    where: 'authority.dnsNames[0]',
    says: 'give a whole name in lower case',
    wrong: ['auth..example.com', 'auth-.example.com', '*.example.com', 'a.example.com.', 'A', ''],
    right: ['auth.example.com', 'auth'],
  },
  { where: 'webhook.apiServerCIDRs[0]', ...network },
  { where: 'networkPolicy.apiServerCIDRs[0]', ...network },
  { where: 'networkPolicy.authorityCIDRs[0]', ...network },
  { where: 'networkPolicy.postgresqlCIDRs[0]', ...network, right: [] },
]

/** Values with a text at a place such as `authority.dnsNames[0]`. */
function put(values: Values, [first = '', ...rest]: readonly string[], text: string): Values {
  if (first.endsWith('[0]')) return { ...values, [first.slice(0, -3)]: [text] }
  const member = (values[first] ?? {}) as Values
  return { ...values, [first]: rest.length === 0 ? text : put(member, rest, text) }
}

const rounds = new Map<string, ReturnType<typeof template>>()

/** What Helm says to the texts of one column of the table; each column is tried once, for a run takes half a second. */
function round(which: 'wrong' | 'right', column: number): ReturnType<typeof template> {
  const key = `${which} ${String(column)}`
  const outcome =
    rounds.get(key) ??
    template(
      forms
        .filter(({ [which]: texts }) => texts.length > 0)
        .reduce<Values>((values, { where, [which]: texts }) => {
          return put(values, where.split('.'), texts[column % texts.length] ?? '')
        }, {}),
    )
  rounds.set(key, outcome)
  return outcome
}

const refused = forms.flatMap(({ where, says, wrong }) =>
  wrong.map((text, column) => ({ where, says, text, column })),
)

describe('refused, with what to do:', () => {
  test.each(refused)('$where "$text"', ({ where, says, text, column }) => {
    const { ok, text: said } = round('wrong', column)
    expect(ok).toBe(false)
    const line = said
      .split('\n')
      .find((one) => one.includes(`${where} is ${JSON.stringify(text)}: `))
    expect(line).toContain(says)
  })
})

test.each([0, 1, 2, 3, 4, 5])('accepted: column %i', (column) => {
  expect(round('right', column)).toMatchObject({ ok: true })
})

test('of several in a list the wrong ones alone are named', () => {
  const { ok, text } = template({ authority: { dnsNames: ['auth', '*.a', 'b.'] } })
  expect(ok).toBe(false)
  for (const index of [1, 2]) expect(text).toContain(`authority.dnsNames[${String(index)}] is `)
  expect(text).not.toContain('dnsNames[0]')
})
