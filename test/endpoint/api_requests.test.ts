import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describedCodes } from '../../src/endpoint/api/errors.ts'
import { authorizationCode } from '../../src/endpoint/grants/authorization_code.ts'
import { clientCredentials } from '../../src/endpoint/grants/client_credentials.ts'
import { refreshToken } from '../../src/endpoint/grants/refresh_token.ts'
import { tokenExchange } from '../../src/endpoint/grants/token_exchange.ts'
import { authorityListener } from '../../src/endpoint/listener.ts'
import { grantParameters, parseTokenRequest } from '../../src/endpoint/request.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import { page, argumentsOf } from '../flows/seed_page.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { FORM, TOKEN_PATH } from '../fakes/running_authority.ts'
import { membersOf, type Json } from '../ops/contract.ts'
import { declaredIn } from '../ops/declared.ts'
import { routesOf } from '../ops/routes.ts'
import { describedAuthority, type Form } from './described.ts'

const contract = describedAuthority()
const { schemas } = contract.document.components
const FORM_TYPE = FORM['content-type']
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority()
})

afterAll(() => world.stop())

const requests = [
  ['AuthorizationCodeRequest', authorizationCode],
  ['ClientCredentialsRequest', clientCredentials],
  ['RefreshTokenRequest', refreshToken],
  ['TokenExchangeRequest', tokenExchange],
] as const

const schemaOf = (name: string): Json => schemas[name] ?? {}
const propertiesOf = (name: string): readonly string[] =>
  Object.keys(schemaOf(name)['properties'] as Json).toSorted()
const memberOf = (name: string, member: string): Json =>
  (schemaOf(name)['properties'] as Readonly<Record<string, Json>>)[member] ?? {}

describe('nothing is left out', () => {
  test('of the codes', async () => {
    expect([...describedCodes()].toSorted()).toEqual(
      [...(await declaredIn('oauth/errors.ts', 'catalogue'))].toSorted(),
    )
  })

  test.each(requests)('of the parameters of %s', async (name, { parameters }) => {
    const common = await declaredIn('endpoint/request.ts', 'commonParameters')
    expect(propertiesOf(name)).toEqual([...common, ...parameters].toSorted())
  })

  test('of the parameters that a grant may have', () => {
    const described = new Set(requests.flatMap(([name]) => propertiesOf(name)))
    expect(grantParameters.filter((name) => !described.has(name))).toEqual([])
  })

  test('of the hints of a revocation', async () => {
    const hint = memberOf('RevocationRequest', 'token_type_hint')
    expect(hint['enum']).toEqual(await declaredIn('endpoint/revoke.ts', 'hints'))
  })

  test('of the routes', async () => {
    // Routes are registered before any of this is looked at.
    const app = authorityListener({
      tenants: new Map(),
      trustedProxies: [],
    } as unknown as Parameters<typeof authorityListener>[0])
    await app.ready()
    expect(Object.keys(contract.document.paths).toSorted()).toEqual(routesOf(app))
    await app.close()
  })

  const methods = Object.keys(contract.document.paths).flatMap((path) =>
    ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({ method, path })),
  )
  test.each(methods)('of the methods: $method $path', async ({ method, path }) => {
    const { status } = await world.send({ method, path: path.replace('{tenant}', 'acme-corp') })
    expect(status !== 405).toBe(contract.find(method, path) !== undefined)
  })
})

const faultsOf = (form: string): readonly string[] =>
  contract.requestFaults('POST', TOKEN_PATH, FORM_TYPE, membersOf(form))

describe('the page of the product', () => {
  const commands = Object.entries(page).flatMap(([name, part]) =>
    'command' in part && part.command.includes('/oauth/token')
      ? [[name, part.command] as const]
      : [],
  )
  test.each(commands)('asks for %s as it is described', (_name, command) => {
    const words = argumentsOf(command, { nothing: '' })
    const form = words.filter((_word, at) => words[at - 1] === '-d').join('&')
    expect(words.filter((word) => word.includes('/oauth/'))).toEqual([
      `https://app.lumoauth.dev${TOKEN_PATH}`,
    ])
    expect(faultsOf(form)).toEqual([])
  })

  test.each(['authorizationCode', 'clientCredentials', 'quickstart', 'refusal'] as const)(
    'shows an answer to %s as it is described',
    (name) => {
      const { response: text } = page[name]
      const headers = { 'content-type': 'application/json' }
      const status = name === 'refusal' ? 400 : 200
      expect(contract.faultsOf('POST', TOKEN_PATH, { status, headers, text })).toEqual([])
    },
  )

  test.each([
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'invalid_scope',
    'unsupported_grant_type',
  ])('has the error %s, and so has the description', (error) => {
    const body = { error, error_description: 'A sentence.' }
    expect(contract.schemaFaults(schemaOf('AuthorityRefusal'), body)).toEqual([])
  })
})

describe('what is described is read, and what is not described is refused:', () => {
  const plain = 'grant_type=client_credentials'
  test.each([
    '',
    plain,
    'grant_type=password',
    'grant_type=',
    `${plain}&scope=a+b`,
    `${plain}&scope=a++b`,
    `${plain}&scope=%22`,
    `${plain}&scope=`,
    `${plain}&scope=a&scope=b`,
    `${plain}&audience=a&audience=b&resource=urn:c`,
    `${plain}&audience=a+b`,
    `${plain}&audience=${'a'.repeat(513)}`,
    `${plain}&resource=a`,
    `${plain}&resource=urn:a%23b`,
    `${plain}&client_id=a&client_secret=b`,
    `${plain}&client_id=a&client_id=b`,
    `${plain}&client_assertion=a&client_assertion_type=b`,
    `${plain}&whatever=a`,
  ])('%s', (form) => {
    const raw = {
      contentType: FORM_TYPE,
      body: Buffer.from(form),
      query: '',
      authorization: undefined,
      dpop: undefined,
    }
    const read = !(parseTokenRequest(raw, () => []) instanceof OAuthError)
    expect({ form, described: faultsOf(form).length === 0 }).toEqual({ form, described: read })
  })
})

describe('what has to be there is there:', () => {
  const whole: Readonly<Record<string, Form>> = {
    AuthorizationCodeRequest: { grant_type: 'authorization_code', code: 'a', redirect_uri: 'b' },
    RefreshTokenRequest: { grant_type: 'refresh_token', refresh_token: 'a' },
    TokenExchangeRequest: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'a',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    },
  }
  const rows = Object.entries(whole).flatMap(([name, form]) =>
    Object.keys(form).map((parameter) => ({ name, form, parameter })),
  )
  test.each(rows)('$parameter of $name', async ({ name, form, parameter }) => {
    const schema = schemaOf(name)
    expect(schema['required']).toContain(parameter)
    const { [parameter]: _taken, ...rest } = form
    expect(contract.schemaFaults(schema, form)).toEqual([])
    expect(contract.schemaFaults(schema, rest)).not.toEqual([])
    const { json } = await world.post(rest, asWeb)
    expect(json['error_description']).toBe('A required parameter is missing.')
  })

  test.each(Object.keys(whole))('and nothing else of %s', (name) => {
    const required = schemaOf(name)['required'] as readonly string[]
    expect(required.toSorted()).toEqual(Object.keys(whole[name] ?? {}).toSorted())
  })
})
