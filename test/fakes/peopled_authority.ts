import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { exportJWK, SignJWT, type JWK } from 'jose'
import type { AuthorizationRequest } from '../../src/endpoint/authorize/issue_code.ts'
import { unixSeconds } from '../../src/platform/clock.ts'
import {
  ACCESS_TOKEN,
  basic,
  client,
  docs,
  exchangeOf,
  files,
  runAuthority,
  secret,
  TOKEN_EXCHANGE,
  type Answer,
  type AuthorityWish,
  type Json,
  type TestAuthority,
} from './running_authority.ts'

export const ISSUER = 'https://auth.example/t/acme-corp/api/v1'
export const CALLBACK = 'https://myapp.com/callback'
export const NATIVE_CALLBACK = 'http://127.0.0.1/callback'

type Form = Readonly<Record<string, string>>

const identity = ['openid', 'profile', 'email']
const everything = [
  { scopes: [...identity, 'read:documents', 'write:documents', 'read:reports'] },
  { target: docs, scopes: ['read:documents', 'write:documents'] },
  { target: files, scopes: ['read:documents', 'list:files'] },
]
const onBehalf = { scopes: ['read:documents', 'read:reports'] }

export const users: readonly Json[] = [
  {
    sub: 'user_a',
    email: 'alice@acme.example',
    emailVerified: true,
    name: 'Alice Archer',
    givenName: 'Alice',
    familyName: 'Archer',
    roles: ['editor'],
  },
  { sub: 'user_b', email: 'bob@acme.example' },
]

/** Agents with a service account of their own name in the namespace `research`. */
export const peopledPolicy = `
agents:
  - name: doc-analyst
    proof: { provider: prod, namespace: research, serviceAccount: doc-analyst }
    capabilities: [read:documents, delegate:on_behalf]
    grants:
      - scopes: [agent:self]
      - { target: ${docs}, scopes: [read:documents, write:documents] }
      - { target: ${files}, scopes: [read:documents] }
    delegation: { scopes: [read:documents, write:documents, read:reports] }
    maxTargets: 2
  - name: orchestrator
    proof: { provider: prod, namespace: research, serviceAccount: orchestrator }
    grants:
      - { target: ${docs}, scopes: [read:documents] }
    delegation: { scopes: [read:documents, read:reports] }
  - name: specialist
    proof: { provider: prod, namespace: research, serviceAccount: specialist }
    grants:
      - { target: ${docs}, scopes: [read:documents] }
    delegation: { scopes: [read:documents], maxDepth: 3 }
  - name: shallow
    proof: { provider: prod, namespace: research, serviceAccount: shallow }
    grants:
      - { target: ${docs}, scopes: [read:documents] }
    delegation: { scopes: [read:documents], maxDepth: 1 }
  - name: loner
    proof: { provider: prod, namespace: research, serviceAccount: loner }
    grants:
      - { target: ${docs}, scopes: [read:documents] }
`

export interface ClientKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: JWK
}

export async function newClientKey(kid = 'own'): Promise<ClientKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig' } }
}

const userGrants = ['authorization_code', 'refresh_token', 'token_exchange']

export function peopledClients(key: ClientKey): readonly Json[] {
  return [
    client('web', {
      grantTypes: [...userGrants, 'client_credentials'],
      redirectUris: [CALLBACK],
      grants: everything,
      maxTargets: 2,
    }),
    client('other-web', {
      grantTypes: userGrants,
      redirectUris: [CALLBACK, 'https://other.example/callback'],
      grants: everything,
    }),
    client('handing-on', {
      grantTypes: userGrants,
      redirectUris: [CALLBACK],
      grants: everything,
      mayAct: 'agent:specialist',
    }),
    {
      id: 'spa',
      methods: ['none'],
      grantTypes: userGrants,
      redirectUris: [NATIVE_CALLBACK, 'https://spa.example/callback'],
      grants: everything,
    },
    client('service_b', {
      grantTypes: ['client_credentials', 'token_exchange'],
      grants: everything,
      delegation: onBehalf,
    }),
    client('docs-api', {
      grantTypes: ['client_credentials', 'token_exchange'],
      audiences: [docs],
      grants: everything,
      delegation: onBehalf,
    }),
    client('support', {
      grantTypes: ['client_credentials', 'token_exchange'],
      grants: everything,
      impersonation: { users: ['user_a'] },
    }),
    client('wide', {
      grantTypes: ['client_credentials', 'token_exchange'],
      grants: [
        { target: docs, scopes: ['read:documents'] },
        { target: files, scopes: ['read:documents'] },
        { target: ISSUER, scopes: ['read:documents'] },
      ],
      maxTargets: 2,
      delegation: onBehalf,
    }),
    client('auditor', { mayIntrospect: true }),
    client('bystander', { grantTypes: ['client_credentials', 'token_exchange'] }),
    client('bound', { dpopBound: true, grants: [{ scopes: ['read:reports'] }] }),
    {
      id: 'signing',
      methods: ['private_key_jwt'],
      jwks: { keys: [key.jwk] },
      grants: [{ scopes: ['read:reports'] }],
    },
    {
      id: 'portal',
      methods: ['federated_jwt'],
      proof: { provider: 'prod', namespace: 'research', serviceAccount: 'portal' },
      grants: [{ scopes: ['read:reports'] }],
    },
  ]
}

export interface PeopledWish extends AuthorityWish {
  /** Laid over the tenant. */
  readonly tenant?: Json
}

export interface Peopled extends TestAuthority {
  readonly key: ClientKey
  /** A code for a user of a client, as if they had signed in and agreed. */
  code(request?: Partial<AuthorizationRequest>, sub?: string): Promise<string>
  /** Exchanges a code at the client `web`, or another. */
  redeem(code: string, more?: Form, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Tokens of a user of a client with a secret. */
  signIn(request?: Partial<AuthorizationRequest>, sub?: string): Promise<Json>
  /** An access token of a user of a client with a secret. */
  userToken(request?: Partial<AuthorizationRequest>, sub?: string): Promise<string>
  /** A proof of a pod of the service account with this name. */
  proofOf(agent: string): Promise<string>
  /** A token of an agent of its own. */
  agentToken(agent: string, more?: Form): Promise<string>
  /** A token of a client of its own. */
  clientToken(id: string, more?: Form): Promise<string>
  refresh(
    refreshToken: unknown,
    more?: Form,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
  exchange(form: Form, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** An assertion of the client `signing`. */
  assertion(claims?: Json, header?: Json, key?: KeyObject): Promise<string>
  introspect(token: unknown, as?: string): Promise<Json>
  /** A user allows an agent some scopes. */
  allow(user: string, agent: string, scopes: readonly string[]): Promise<void>
}

export const asWeb = basic('web', secret)

/** An authority with users, with clients of every kind and with agents that may act for others. */
export async function peopledAuthority(wish: PeopledWish = {}): Promise<Peopled> {
  const key = await newClientKey()
  const authority = await runAuthority({
    policy: peopledPolicy,
    tenants: async ({ cluster, policyFile }) => [
      {
        slug: 'acme-corp',
        algorithm: 'ES256',
        policy: policyFile,
        providers: [
          {
            name: 'prod',
            kind: 'kubernetes',
            issuers: [cluster.issuer],
            keys: { inline: await cluster.jwks() },
          },
        ],
        clients: peopledClients(key),
        users,
        ...wish.tenant,
      },
      {
        slug: 'globex',
        algorithm: 'ES256',
        clients: [client('web', { grantTypes: ['client_credentials', 'token_exchange'] })],
        users: [{ sub: 'user_a' }],
      },
    ],
    ...wish,
  })
  return { ...authority, key, ...actsOf(authority, key) }
}

function actsOf(
  { running, post, cluster, clock, send, withStore }: TestAuthority,
  key: ClientKey,
): Omit<Peopled, keyof TestAuthority | 'key'> {
  const code: Peopled['code'] = async (request = {}, sub = 'user_a') => {
    const issued = await running.issueCode(
      'acme-corp',
      { clientId: 'web', redirectUri: CALLBACK, scope: identity.join(' '), ...request },
      { sub, authTime: unixSeconds(clock) - 30 },
    )
    if (typeof issued !== 'string') throw new Error(issued?.detail ?? 'no code')
    return issued
  }
  const redeem: Peopled['redeem'] = (text, more = {}, headers = asWeb) =>
    post({ grant_type: 'authorization_code', code: text, redirect_uri: CALLBACK, ...more }, headers)
  const signIn: Peopled['signIn'] = async (request = {}, sub = 'user_a') => {
    const answer = await redeem(
      await code(request, sub),
      {},
      basic(request.clientId ?? 'web', secret),
    )
    return answer.json
  }
  const proofOf = (agent: string): Promise<string> =>
    cluster.token({
      claims: { sub: `system:serviceaccount:research:${agent}` },
      bound: { serviceaccount: { name: agent, uid: createUid(agent) } },
    })
  const tokenOf = ({ json, text }: Answer): string => {
    if (typeof json['access_token'] !== 'string') throw new Error(text)
    return json['access_token']
  }
  return {
    allow: (user, agent, scopes) =>
      withStore((store) =>
        store.putUserGrant({
          tenant: 'acme-corp',
          user,
          agent,
          scopes,
          createdAt: unixSeconds(clock),
        }),
      ),
    code,
    redeem,
    signIn,
    userToken: async (request, sub) => String((await signIn(request, sub))['access_token']),
    proofOf,
    agentToken: async (agent, more) => tokenOf(await post(exchangeOf(await proofOf(agent), more))),
    clientToken: async (id, more = {}) =>
      tokenOf(await post({ grant_type: 'client_credentials', ...more }, basic(id, secret))),
    refresh: (token, more = {}, headers = asWeb) =>
      post({ grant_type: 'refresh_token', refresh_token: String(token), ...more }, headers),
    exchange: (form, headers = {}) =>
      post(
        {
          grant_type: TOKEN_EXCHANGE,
          ...(form['subject_token'] !== undefined && { subject_token_type: ACCESS_TOKEN }),
          ...(form['actor_token'] !== undefined && { actor_token_type: ACCESS_TOKEN }),
          ...form,
        },
        headers,
      ),
    assertion: (claims = {}, header = {}, privateKey = key.privateKey) => {
      const now = unixSeconds(clock)
      return new SignJWT({
        iss: 'signing',
        sub: 'signing',
        aud: ISSUER,
        iat: now,
        exp: now + 60,
        jti: randomBytes(16).toString('hex'),
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header })
        .sign(privateKey)
    },
    introspect: async (token, as = 'auditor') => {
      const answer = await send({
        method: 'POST',
        path: '/t/acme-corp/api/v1/oauth/introspect',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...basic(as, secret),
        },
        body: new URLSearchParams({ token: String(token) }).toString(),
      })
      return answer.json
    },
  }
}

function createUid(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32)
}
