import { createHash } from 'node:crypto'
import { OAuthError } from '../../oauth/errors.ts'
import type { Audit } from '../../platform/audit.ts'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import { page, redirect, type BrowserAnswer } from '../browser/answers.ts'
import type { Pages } from '../browser/pages/page.ts'
import { ownForm, toldOf, type BrowserRequest } from '../browser/request.ts'
import { addressOfNext, shownOf } from '../sign_in/next.ts'
import { presentAt, type Present } from '../sign_in/present.ts'
import type { SignIn } from '../sign_in/sign_in.ts'
import type { Tenant } from '../tenant.ts'
import { grantableOf, issueCode, type Grantable } from './issue_code.ts'
import { locationOf, readAsk, type Ask, type ReadAsk } from './request.ts'

export interface AuthorizeDependencies {
  readonly signIn: SignIn
  readonly pages: Pages
  readonly audit: Audit
  readonly clock: Clock
}

/** The authorization endpoint as a person meets it: sign-in, consent, and the way back (RFC 6749 section 4.1). */
export class Authorize {
  readonly #dependencies: AuthorizeDependencies

  constructor(dependencies: AuthorizeDependencies) {
    this.#dependencies = dependencies
  }

  /** `GET …/oauth/authorize`. */
  async ask(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const read = await readAsk(request.query, tenant)
    if (read.kind !== 'ask') return this.#refuse(read, tenant)
    const { ask } = read
    const grantable = await grantableOf(ask.request, tenant)
    if (grantable instanceof OAuthError) return this.#back(ask, tenant, grantable.error)
    const present = await this.#present(request, ask, tenant)
    if (!present) {
      if (ask.prompt.has('none')) return this.#back(ask, tenant, 'login_required')
      const purpose = {
        next: { to: 'authorize', query: request.query },
        client: shownOf(ask.client),
        loginHint: ask.loginHint,
        forms: 'elsewhere',
        request: ask.pushed?.hash,
      } as const
      return this.#dependencies.signIn.page(request, purpose, tenant)
    }
    const { client, ...granted } = grantable
    const isAgreed = await tenant.consents.covers(present.sub, { client: client.id, ...granted })
    if (isAgreed && !ask.prompt.has('consent')) return this.#issue(request, ask, present, tenant)
    if (ask.prompt.has('none')) return this.#back(ask, tenant, 'consent_required')
    return this.#consentPage(request, grantable, present, tenant)
  }

  /** `POST …/oauth/authorize`: the answer of a person to the consent page. */
  async decide(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const form = ownForm(request, tenant)
    if (!form) return this.#dependencies.pages.fault('form_foreign')
    const query = form.one('request') ?? ''
    const read = await readAsk(query, tenant)
    if (read.kind !== 'ask') return this.#refuse(read, tenant)
    const { ask } = read
    const grantable = await grantableOf(ask.request, tenant)
    const present = await this.#present(request, ask, tenant)
    // Whoever has signed in in this browser meanwhile answers for nobody else.
    const isSame = (): boolean =>
      !(grantable instanceof OAuthError) &&
      present?.sub === form.one('user') &&
      shownIn(grantable).digest === form.one('shown')
    if (grantable instanceof OAuthError || !present || !isSame()) {
      return redirect(addressOfNext(request.base, { to: 'authorize', query }))
    }
    const { client, ...granted } = grantable
    const said = {
      ...toldOf(request, tenant),
      client_id: client.id,
      subject: present.sub,
      scope_requested: granted.scope.join(' '),
    }
    if (form.one('decision') !== 'allow') {
      await this.#dependencies.audit.record({ event: 'consent.denied', outcome: 'denied', ...said })
      return this.#back(ask, tenant, 'access_denied')
    }
    // Recorded first: what is not on record is not agreed to.
    await this.#dependencies.audit.record({ event: 'consent.given', outcome: 'success', ...said })
    await tenant.consents.give(present.sub, { client: client.id, ...granted })
    return this.#issue(request, ask, present, tenant)
  }

  #refuse(read: Exclude<ReadAsk, { readonly kind: 'ask' }>, tenant: Tenant): BrowserAnswer {
    if (read.kind === 'page') return this.#dependencies.pages.fault(read.fault)
    const { error, description } = read.fault
    const answer = { error, error_description: description }
    return redirect(locationOf(read.place, tenant.issuer, answer))
  }

  /** Undefined: nobody, or they have to show it anew for this request. */
  async #present(
    request: BrowserRequest,
    { prompt, maxAge, pushed }: Ask,
    tenant: Tenant,
  ): Promise<Present | undefined> {
    const present = await presentAt(request, tenant)
    if (!present) return undefined
    // Its parameters stand as they were pushed: that they were heeded shows in the session, which was made for it.
    if (pushed && present.request && Buffer.compare(pushed.hash, present.request) === 0) {
      return present
    }
    if (prompt.has('login') || prompt.has('select_account')) return undefined
    const age = unixSeconds(this.#dependencies.clock) - present.authTime
    return maxAge !== undefined && age > maxAge ? undefined : present
  }

  async #issue(
    request: BrowserRequest,
    ask: Ask,
    { sub, authTime }: Present,
    tenant: Tenant,
  ): Promise<BrowserAnswer> {
    // One code for a pushed request (RFC 9126 section 7.3): of two at once, one gets it.
    if (ask.pushed && !(await tenant.pushed.end(ask.pushed))) {
      return this.#dependencies.pages.fault('request_uri_unknown')
    }
    const code = await issueCode(ask.request, { sub, authTime }, tenant)
    if (code instanceof OAuthError) return this.#back(ask, tenant, code.error)
    await this.#dependencies.audit.record({
      event: 'code.issued',
      outcome: 'success',
      ...toldOf(request, tenant),
      client_id: ask.client.id,
      subject: sub,
    })
    return redirect(locationOf(ask, tenant.issuer, { code }))
  }

  #back(ask: Ask, tenant: Tenant, error: string): BrowserAnswer {
    return redirect(locationOf(ask, tenant.issuer, { error }))
  }

  #consentPage(
    { cookies, base, query }: BrowserRequest,
    grantable: Grantable,
    { sub, shown }: Present,
    { sessions }: Tenant,
  ): BrowserAnswer {
    const { client } = grantable
    const { scopes, targets, isAnywhere, digest } = shownIn(grantable)
    const body = this.#dependencies.pages.render('consent', {
      client: shownOf(client),
      clientId: client.id,
      scopes,
      targets,
      isAnywhere,
      shown: digest,
      mayActFurther: client.delegation !== undefined,
      lifetimeSeconds: client.lifetimeSeconds,
      refreshSeconds: client.grantTypes.includes('refresh_token')
        ? client.refreshLifetimeSeconds
        : undefined,
      user: shown,
      sub,
      signOut: `${base}/oauth/logout`,
      action: `${base}/oauth/authorize`,
      form: sessions.formValue(sessions.valueIn(cookies) ?? ''),
      query,
    })
    return page(200, body, { forms: 'elsewhere' })
  }
}

/** What a person reads of a request. One that names no target reaches all at which the client may use any of its scopes. */
function shownIn({ client, scope, targets }: Grantable) {
  const scopes = scope.filter((each) => each !== 'openid')
  const isAnywhere = targets.length === 0
  const reached = client.grants.flatMap(({ target, scopes: there }) =>
    target !== undefined && scopes.some((each) => there.includes(each)) ? [target] : [],
  )
  const shown = { scopes, targets: isAnywhere ? [...new Set(reached)] : targets, isAnywhere }
  const digest = createHash('sha256').update(JSON.stringify(shown)).digest('base64url')
  return { ...shown, digest }
}
