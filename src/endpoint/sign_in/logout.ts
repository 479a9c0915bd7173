import type { Audit } from '../../platform/audit.ts'
import { Parameters } from '../../oauth/parameters.ts'
import { matchesRedirectUri } from '../../oauth/redirect_uri.ts'
import { parseCompactJws } from '../../verifier/jws.ts'
import { isSignedBy } from '../access_token.ts'
import { page, redirect, type BrowserAnswer } from '../browser/answers.ts'
import type { Pages } from '../browser/pages/page.ts'
import { ownForm, toldOf, type BrowserRequest } from '../browser/request.ts'
import type { Tenant } from '../tenant.ts'
import { presentAt } from './present.ts'

export interface LogoutDependencies {
  readonly pages: Pages
  readonly audit: Audit
}

/** What a sign-out asks for. */
interface Wish {
  /** Whom an ID token of ours names: who asks was given it, so the person need not be asked. */
  readonly sub: string | undefined
  /** Where the person goes then. */
  readonly to: string | undefined
}

/** Sign-out (OpenID Connect RP-Initiated Logout 1.0). What clients were given stays theirs; that is taken back elsewhere. */
export class Logout {
  readonly #dependencies: LogoutDependencies

  constructor(dependencies: LogoutDependencies) {
    this.#dependencies = dependencies
  }

  /** `GET …/oauth/logout`. Without proof of who asks the person is: any page could else sign them out. */
  async ask(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const { pages } = this.#dependencies
    const wish = await wishIn(request.query, tenant)
    if (!wish) return pages.fault('logout_unreadable')
    const present = await presentAt(request, tenant)
    if (!present) return wish.to === undefined ? this.#done() : redirect(wish.to)
    if (present.sub === wish.sub) return this.#end(request, present.sub, wish, tenant)
    const value = tenant.sessions.valueIn(request.cookies) ?? ''
    const body = pages.render('sign-out', {
      user: present.shown,
      action: `${request.base}/oauth/logout`,
      form: tenant.sessions.formValue(value),
      query: request.query,
    })
    return page(200, body, {
      forms: wish.to === undefined ? 'own' : 'elsewhere',
    })
  }

  /** `POST …/oauth/logout`: the person said so. */
  async confirm(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const form = ownForm(request, tenant)
    if (!form) return this.#dependencies.pages.fault('form_foreign')
    const wish = await wishIn(form.one('request') ?? '', tenant)
    if (!wish) return this.#dependencies.pages.fault('logout_unreadable')
    const present = await presentAt(request, tenant)
    return this.#end(request, present?.sub, wish, tenant)
  }

  async #end(
    request: BrowserRequest,
    sub: string | undefined,
    { to }: Wish,
    tenant: Tenant,
  ): Promise<BrowserAnswer> {
    const setCookie = await tenant.sessions.end(tenant.sessions.valueIn(request.cookies))
    await this.#dependencies.audit.record({
      event: 'user.signed_out',
      outcome: 'success',
      ...toldOf(request, tenant),
      ...(sub !== undefined && { subject: sub }),
    })
    return to === undefined ? this.#done(setCookie) : redirect(to, setCookie)
  }

  #done(setCookie?: string): BrowserAnswer {
    return page(200, this.#dependencies.pages.render('signed-out', {}), {
      ...(setCookie !== undefined && { setCookie }),
    })
  }
}

/** Undefined: it asks for what cannot be: a place that is not the client's, or an ID token that is not ours. */
async function wishIn(query: string, tenant: Tenant): Promise<Wish | undefined> {
  const parameters = Parameters.ofForm(query)
  if (typeof parameters === 'string') return undefined
  const hint = parameters.one('id_token_hint')
  const named = hint === undefined ? undefined : await namedBy(hint, tenant)
  if (hint !== undefined && !named) return undefined
  const clientId = parameters.one('client_id') ?? named?.clientId
  if (named && clientId !== named.clientId) return undefined
  const wanted = parameters.one('post_logout_redirect_uri')
  if (wanted === undefined) return { sub: named?.sub, to: undefined }
  const client = await tenant.clients.find(clientId ?? '')
  const isRegistered = client?.postLogoutRedirectUris.some((uri) => matchesRedirectUri(uri, wanted))
  return isRegistered === true
    ? { sub: named?.sub, to: withState(wanted, parameters.one('state')) }
    : undefined
}

/** An ID token of ours, expired or not (section 2): it says who asks, and opens nothing. */
async function namedBy(
  hint: string,
  { issuer, signer }: Tenant,
): Promise<{ readonly sub: string; readonly clientId: string } | undefined> {
  const jws = parseCompactJws(hint)
  if (typeof jws === 'string' || jws.header['typ'] !== 'JWT') return undefined
  const { iss, sub, aud } = jws.payload
  if (iss !== issuer || typeof sub !== 'string' || typeof aud !== 'string') return undefined
  return (await isSignedBy(signer, jws)) ? { sub, clientId: aud } : undefined
}

function withState(uri: string, state: string | undefined): string {
  if (state === undefined) return uri
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams({ state }).toString()}`
}
