import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { write as writeRefusal, otherMethods, prefixes, type TenantParams } from '../reply.ts'
import { answerOf } from '../answer.ts'
import type { Account } from '../account/account.ts'
import type { Authorize } from '../authorize/authorize.ts'
import { requestIdOf } from '../incoming.ts'
import type { Logout } from '../sign_in/logout.ts'
import type { SignIn } from '../sign_in/sign_in.ts'
import type { NamedRequest, UpstreamSignIn } from '../sign_in/upstream/upstream_sign_in.ts'
import type { Tenant } from '../tenant.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { bodyFormOf } from '../../oauth/media_type.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Random } from '../../platform/random.ts'
import { StoreFault } from '../../store/store.ts'
import { stylePath, styleSheet, type BrowserAnswer } from './answers.ts'
import type { Pages } from './pages/page.ts'
import type { BrowserRequest } from './request.ts'

export interface BrowserRoutesDependencies {
  readonly origin: string
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly authorize: Authorize
  readonly signIn: SignIn
  readonly upstreamSignIn: UpstreamSignIn
  readonly logout: Logout
  readonly account: Account
  readonly pages: Pages
  readonly random: Random
  readonly log: Log
}

/** `name`: in a path that has one. */
type NamedParams = { Params: TenantParams['Params'] & { name?: string } }

type Serve = (request: NamedRequest, tenant: Tenant) => Promise<BrowserAnswer>

interface Route {
  /** Below the prefix. */
  readonly path: string
  readonly get?: Serve
  /** Forms of our own pages. */
  readonly post?: Serve
}

/** The pages that people see, under both prefixes of a tenant. No other origin may call any of it. */
export function browserRoutes(app: FastifyInstance, dependencies: BrowserRoutesDependencies): void {
  const { authorize, signIn, upstreamSignIn, logout, account } = dependencies
  const routes: readonly Route[] = [
    {
      path: '/oauth/authorize',
      get: (...asked) => authorize.ask(...asked),
      post: (...asked) => authorize.decide(...asked),
    },
    { path: '/oauth/login', post: (...asked) => signIn.submit(...asked) },
    {
      path: '/oauth/login/upstream/:name',
      get: (...asked) => upstreamSignIn.begin(...asked),
    },
    {
      path: '/oauth/login/callback/:name',
      get: (...asked) => upstreamSignIn.complete(...asked),
    },
    {
      path: '/oauth/logout',
      get: (...asked) => logout.ask(...asked),
      post: (...asked) => logout.confirm(...asked),
    },
    {
      path: '/account',
      get: (...asked) => account.show(...asked),
      post: (...asked) => account.act(...asked),
    },
  ]
  app.get(stylePath, (_request, reply) => write(reply, styleSheet))
  otherMethods(app, stylePath, ['GET', 'HEAD'])
  for (const prefix of prefixes) for (const route of routes) mount(app, prefix, route, dependencies)
}

function mount(
  app: FastifyInstance,
  prefix: string,
  { path, get, post }: Route,
  dependencies: BrowserRoutesDependencies,
): void {
  const url = `${prefix}${path}`
  if (get) mountOne(app, { method: 'GET', url, prefix }, get, dependencies)
  if (post) mountOne(app, { method: 'POST', url, prefix }, post, dependencies)
  otherMethods(app, url, [...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : [])])
}

function mountOne(
  app: FastifyInstance,
  { method, url, prefix }: { method: 'GET' | 'POST'; url: string; prefix: string },
  serve: Serve,
  dependencies: BrowserRoutesDependencies,
): void {
  const { origin, tenants, random, pages } = dependencies
  app.route<NamedParams>({
    method,
    url,
    handler: async (request, reply) => {
      const requestId = requestIdOf(request, random)
      reply.header('x-request-id', requestId)
      const { tenant: slug, name = '' } = request.params
      const tenant = tenants.get(slug)
      if (!tenant) return writeRefusal(reply, answerOf(new OAuthError('tenant_unknown')))
      if (method === 'POST' && !isOwnPost(request, origin)) {
        return write(reply, pages.fault('form_foreign'))
      }
      const base = baseOf(origin, prefix, slug)
      const browser = { ...browserRequest(request, requestId, base), name }
      return write(reply, await attempt(() => serve(browser, tenant), slug, dependencies))
    },
  })
}

/** A form of a page of ours: browsers say from where a form comes, and may leave it out only towards the same origin. */
function isOwnPost({ headers }: FastifyRequest, origin: string): boolean {
  const { origin: from, 'sec-fetch-site': site } = headers
  const isOwn = from === undefined ? site === undefined || site === 'same-origin' : from === origin
  return isOwn && bodyFormOf(headers['content-type']) === 'form'
}

/** `base`: where our endpoints lie; not of the URL of the request, which may name another host (RFC 9112 section 3.2.2). */
export function browserRequest(
  { url, headers, body, ip }: FastifyRequest,
  requestId: string,
  base: string,
): BrowserRequest {
  const [, ...rest] = url.split('?')
  return {
    query: rest.join('?'),
    cookies: headers.cookie,
    address: ip,
    requestId,
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    base,
  }
}

/** Of a tenant that is there, under one of its prefixes. */
export function baseOf(origin: string, prefix: string, slug: string): string {
  return origin + prefix.replace(':tenant', slug)
}

async function attempt(
  serve: () => Promise<BrowserAnswer>,
  tenant: string,
  { log, pages }: BrowserRoutesDependencies,
): Promise<BrowserAnswer> {
  try {
    return await serve()
  } catch (error) {
    const isOut = error instanceof StoreFault
    const fields = { tenant, ...(isOut ? { reason: error.message } : causeOf(error)) }
    log.error('a page could not be served', fields)
    return pages.fault('out', isOut ? 503 : 500)
  }
}

function write(reply: FastifyReply, { status, headers, body }: BrowserAnswer): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}
