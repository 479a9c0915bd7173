import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { write as writeRefusal, otherMethods, prefixes, type TenantParams } from '../reply.ts'
import { answerOf } from '../answer.ts'
import type { Tenant } from '../tenant.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { bodyFormOf } from '../../oauth/media_type.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Random } from '../../platform/random.ts'
import { StoreFault } from '../../store/store.ts'
import { page, stylePath, styleSheet, type BrowserAnswer } from './answers.ts'
import type { Pages } from './pages/page.ts'
import { texts } from './pages/texts.ts'
import type { AuthorizeSurface, BrowserRequest } from '../authorize/surface.ts'

export interface AuthorizeRoutesDependencies {
  readonly origin: string
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly surface: AuthorizeSurface
  readonly pages: Pages
  readonly random: Random
  readonly log: Log
}

type Serve = (request: BrowserRequest, tenant: Tenant) => Promise<BrowserAnswer>

/** The pages that people see, under both prefixes of a tenant. No other origin may call any of it. */
export function authorizeRoutes(
  app: FastifyInstance,
  dependencies: AuthorizeRoutesDependencies,
): void {
  const { surface } = dependencies
  app.get(stylePath, (_request, reply) => write(reply, styleSheet))
  otherMethods(app, stylePath, ['GET', 'HEAD'])
  for (const prefix of prefixes) {
    const authorize = `${prefix}/oauth/authorize`
    const login = `${prefix}/oauth/login`
    mount(app, 'GET', authorize, (...asked) => surface.authorize(...asked), dependencies)
    mount(app, 'POST', authorize, (...asked) => surface.decide(...asked), dependencies)
    mount(app, 'POST', login, (...asked) => surface.signIn(...asked), dependencies)
    otherMethods(app, authorize, ['GET', 'HEAD', 'POST'])
    otherMethods(app, login, ['POST'])
  }
}

function mount(
  app: FastifyInstance,
  method: 'GET' | 'POST',
  url: string,
  serve: Serve,
  dependencies: AuthorizeRoutesDependencies,
): void {
  const { origin, tenants, random } = dependencies
  app.route<TenantParams>({
    method,
    url,
    handler: async (request, reply) => {
      reply.header('x-request-id', random.uuid())
      const { tenant: slug } = request.params
      const tenant = tenants.get(slug)
      if (!tenant) return writeRefusal(reply, answerOf(new OAuthError('tenant_unknown')))
      if (method === 'POST' && !isOwnPost(request, origin)) {
        return write(reply, faultPage(403, texts.fault.form_foreign, dependencies))
      }
      const browser = browserRequest(request, origin)
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

function browserRequest(
  { url, headers, body, socket }: FastifyRequest,
  origin: string,
): BrowserRequest {
  const [path = '', ...rest] = url.split('?')
  return {
    query: rest.join('?'),
    cookies: headers.cookie,
    address: socket.remoteAddress,
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    base: origin + path.slice(0, path.lastIndexOf('/oauth/')),
  }
}

async function attempt(
  serve: () => Promise<BrowserAnswer>,
  tenant: string,
  dependencies: AuthorizeRoutesDependencies,
): Promise<BrowserAnswer> {
  try {
    return await serve()
  } catch (error) {
    const isOut = error instanceof StoreFault
    const fields = { tenant, ...(isOut ? { reason: error.message } : causeOf(error)) }
    dependencies.log.error('a page could not be served', fields)
    return faultPage(isOut ? 503 : 500, texts.fault.out, dependencies)
  }
}

function faultPage(
  status: number,
  message: string,
  { pages }: AuthorizeRoutesDependencies,
): BrowserAnswer {
  return page(status, pages.render('fault', { message }))
}

function write(reply: FastifyReply, { status, headers, body }: BrowserAnswer): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}
