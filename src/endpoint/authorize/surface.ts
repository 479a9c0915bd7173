import { grantableOf, issueCode, type Grantable } from './issue_code.ts'
import type { Tenant } from '../tenant.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { Parameters } from '../../oauth/parameters.ts'
import type { Audit } from '../../platform/audit.ts'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import { formTargetOf, page, redirect, type BrowserAnswer } from '../browser/answers.ts'
import { Pages } from '../browser/pages/page.ts'
import { texts } from '../browser/pages/texts.ts'
import type { PasswordSignIn } from '../sign_in/password_sign_in.ts'
import { locationOf, readAsk, withoutSignIn, type Ask, type PageFault } from './request.ts'

export interface SurfaceDependencies {
  readonly passwords: PasswordSignIn
  readonly pages: Pages
  readonly audit: Audit
  readonly clock: Clock
}

/** What a browser sends. */
export interface BrowserRequest {
  /** Without the question mark. */
  readonly query: string
  readonly cookies: string | undefined
  /** Network address that it comes from. */
  readonly address: string | undefined
  /** Empty for GET. */
  readonly body: Buffer
  /** Where our endpoints lie, such as `https://auth.example.com/t/acme-corp/api/v1`. */
  readonly base: string
}

/** Somebody who is signed in, and still let in. */
interface Present {
  readonly sub: string
  readonly shown: string
  readonly authTime: number
}

/** The authorization endpoint as a person meets it: sign-in, consent, and the way back (RFC 6749 section 4.1). */
export class AuthorizeSurface {
  readonly #dependencies: SurfaceDependencies

  constructor(dependencies: SurfaceDependencies) {
    this.#dependencies = dependencies
  }

  /** `GET …/oauth/authorize`. */
  async authorize(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const read = await readAsk(request.query, tenant)
    if (read.kind === 'page') return this.#fault(read.fault)
    if (read.kind === 'redirect') {
      const { error, description } = read.fault
      return redirect(
        locationOf(read.place, tenant.issuer, { error, error_description: description }),
      )
    }
    const { ask } = read
    const grantable = await grantableOf(ask.request, tenant)
    if (grantable instanceof OAuthError) return this.#back(ask, tenant, grantable.error)
    const present = await this.#present(request, ask, tenant)
    if (!present) {
      if (ask.prompt.has('none')) return this.#back(ask, tenant, 'login_required')
      return this.#signInPage(request, request.query, ask, tenant)
    }
    const { client, ...granted } = grantable
    const isAgreed = await tenant.consents.covers(present.sub, { client: client.id, ...granted })
    if (isAgreed && !ask.prompt.has('consent')) return this.#issue(ask, present, tenant)
    if (ask.prompt.has('none')) return this.#back(ask, tenant, 'consent_required')
    return this.#consentPage(request, ask, grantable, present, tenant)
  }

  /** `POST …/oauth/authorize`: the answer of a person to the consent page. */
  async decide(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const form = this.#ownForm(request, tenant)
    if (!form) return this.#fault('form_foreign')
    const query = form.one('request') ?? ''
    const read = await readAsk(query, tenant)
    if (read.kind === 'page') return this.#fault(read.fault)
    if (read.kind === 'redirect') return this.authorize({ ...request, query }, tenant)
    const { ask } = read
    const grantable = await grantableOf(ask.request, tenant)
    const present = await this.#present(request, ask, tenant)
    if (grantable instanceof OAuthError || !present) {
      return redirect(againAt(request, query))
    }
    const { client, ...granted } = grantable
    const said = {
      tenant: tenant.slug,
      client_id: client.id,
      subject: present.sub,
      scope_requested: granted.scope.join(' '),
    }
    if (form.one('decision') !== 'allow') {
      await this.#dependencies.audit.record({ event: 'consent.denied', outcome: 'denied', ...said })
      return this.#back(ask, tenant, 'access_denied')
    }
    await tenant.consents.give(present.sub, { client: client.id, ...granted })
    await this.#dependencies.audit.record({ event: 'consent.given', outcome: 'success', ...said })
    return this.#issue(ask, present, tenant)
  }

  /** `POST …/oauth/login`: address and password. */
  async signIn(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const form = this.#ownForm(request, tenant)
    if (!form) return this.#fault('form_foreign')
    const query = form.one('continue') ?? ''
    const read = await readAsk(query, tenant)
    if (read.kind !== 'ask') return redirect(againAt(request, query))
    const email = (form.one('email') ?? '').trim().toLowerCase().slice(0, 255)
    const password = form.one('password') ?? ''
    const outcome = await this.#dependencies.passwords.who(email, password, request.address, tenant)
    if (typeof outcome === 'string') {
      return this.#signInPage(request, query, read.ask, tenant, {
        notice: texts.signIn[outcome],
        email,
        status: outcome === 'wrong' ? 400 : 429,
      })
    }
    const before = tenant.sessions.valueIn(request.cookies)
    const setCookie = await tenant.sessions.open(outcome.sub, before)
    return redirect(`${request.base}/oauth/authorize?${withoutSignIn(query)}`, setCookie)
  }

  /** A form that a page of ours was, in this very browser. */
  #ownForm({ cookies, body }: BrowserRequest, tenant: Tenant): Parameters | undefined {
    const value = tenant.sessions.valueIn(cookies)
    const form = Parameters.parse(body, 'form')
    if (value === undefined || typeof form === 'string') return undefined
    return tenant.sessions.isOwnForm(value, form.one('form')) ? form : undefined
  }

  /** Undefined: nobody, or it was too long ago for this request. */
  async #present(
    { cookies }: BrowserRequest,
    { prompt, maxAge }: Ask,
    tenant: Tenant,
  ): Promise<Present | undefined> {
    if (prompt.has('login') || prompt.has('select_account')) return undefined
    const session = await tenant.sessions.find(tenant.sessions.valueIn(cookies))
    const user = session && (await tenant.users.active(session.user))
    if (!session || !user) return undefined
    const age = unixSeconds(this.#dependencies.clock) - session.authTime
    if (maxAge !== undefined && age > maxAge) return undefined
    return { sub: user.sub, shown: user.email ?? user.sub, authTime: session.authTime }
  }

  async #issue(ask: Ask, { sub, authTime }: Present, tenant: Tenant): Promise<BrowserAnswer> {
    const code = await issueCode(ask.request, { sub, authTime }, tenant)
    if (code instanceof OAuthError) return this.#back(ask, tenant, code.error)
    await this.#dependencies.audit.record({
      event: 'code.issued',
      tenant: tenant.slug,
      outcome: 'success',
      client_id: ask.client.id,
      subject: sub,
    })
    return redirect(locationOf(ask, tenant.issuer, { code }))
  }

  #back(ask: Ask, tenant: Tenant, error: string): BrowserAnswer {
    return redirect(locationOf(ask, tenant.issuer, { error }))
  }

  #signInPage(
    { cookies, base }: BrowserRequest,
    query: string,
    ask: Ask,
    { sessions }: Tenant,
    { notice, email, status = 200 }: { notice?: string; email?: string; status?: number } = {},
  ): BrowserAnswer {
    const known = sessions.valueIn(cookies)
    const visit = known === undefined ? sessions.visit() : { value: known }
    const body = this.#dependencies.pages.render('sign-in', {
      client: ask.client.id,
      notice,
      action: `${base}/oauth/login`,
      form: sessions.formValue(visit.value),
      query,
      email: email ?? ask.loginHint ?? '',
    })
    return page(status, body, {
      formsTo: formTargetOf(ask.redirectUri),
      ...('setCookie' in visit && { setCookie: visit.setCookie }),
    })
  }

  #consentPage(
    { cookies, base, query }: BrowserRequest,
    ask: Ask,
    { client, scope, targets }: Grantable,
    { shown }: Present,
    { sessions }: Tenant,
  ): BrowserAnswer {
    const body = this.#dependencies.pages.render('consent', {
      client: client.id,
      scopes: scope.filter((each) => each !== 'openid'),
      targets,
      user: shown,
      action: `${base}/oauth/authorize`,
      form: sessions.formValue(sessions.valueIn(cookies) ?? ''),
      query,
    })
    return page(200, body, { formsTo: formTargetOf(ask.redirectUri) })
  }

  #fault(fault: PageFault | 'form_foreign'): BrowserAnswer {
    const status = fault === 'form_foreign' ? 403 : 400
    return page(status, this.#dependencies.pages.render('fault', { message: texts.fault[fault] }))
  }
}

/** Written anew, for what a form carried may hold what no header can. */
function againAt({ base }: BrowserRequest, query: string): string {
  return `${base}/oauth/authorize?${new URLSearchParams(query).toString()}`
}
