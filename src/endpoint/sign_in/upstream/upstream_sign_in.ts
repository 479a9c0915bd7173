import { Parameters } from '../../../oauth/parameters.ts'
import type { Audit } from '../../../platform/audit.ts'
import type { Log } from '../../../platform/log.ts'
import { readAsk } from '../../authorize/request.ts'
import { redirect, type BrowserAnswer } from '../../browser/answers.ts'
import type { Pages } from '../../browser/pages/page.ts'
import { texts } from '../../browser/pages/texts.ts'
import { toldOf, type BrowserRequest } from '../../browser/request.ts'
import type { Limits } from '../../limits.ts'
import type { Tenant } from '../../tenant.ts'
import {
  addressOfNext,
  parseNext,
  purposeOf,
  textOfNext,
  type Next,
  type Purpose,
} from '../next.ts'
import { goOn, type SignIn } from '../sign_in.ts'
import { UpstreamRefusal } from './refusal.ts'
import type { Upstream } from './upstream.ts'
import type { Return } from './visits.ts'

interface Dependencies {
  readonly signIn: SignIn
  readonly pages: Pages
  readonly limits: Pick<Limits, 'spend'>
  readonly audit: Audit
  readonly log: Log
}

/** A request whose path names a provider. */
export interface NamedRequest extends BrowserRequest {
  readonly name: string
}

interface Guest {
  readonly sub: string
  /** Their `sub` at the provider. */
  readonly subject: string
}

/** Sign-in by another OpenID Provider. */
export class UpstreamSignIn {
  readonly #dependencies: Dependencies

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies
  }

  /** `GET …/oauth/login/upstream/{name}`: sends the person there. */
  async begin(request: NamedRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const { signIn, pages, limits } = this.#dependencies
    const upstream = tenant.upstreams.byName.get(request.name)
    const parameters = Parameters.ofForm(request.query)
    const next = typeof parameters === 'string' ? undefined : parseNext(parameters.one('continue'))
    if (!upstream || !next) return pages.fault('request_unreadable')
    const purpose = await purposeOf(next, tenant)
    if (!purpose) return redirect(addressOfNext(request.base, next))
    // Each makes a row in the store, and anybody may begin one. No client has an id with a space.
    const id = `upstream ${request.address ?? ''}`
    if (limits.spend({ kind: 'client', tenant: tenant.slug, id })) {
      return signIn.page(request, purpose, tenant, { notice: texts.signIn.busy, status: 429 })
    }
    const known = tenant.sessions.valueIn(request.cookies)
    const visit = known === undefined ? tenant.sessions.visit() : { value: known }
    const binding = await tenant.upstreams.visits.begin(request.name, visit.value, textOfNext(next))
    const url = await upstream.authorizationUrl(binding, await promptFor(next, tenant))
    if (url instanceof UpstreamRefusal) return this.#refuse(url, request, purpose, tenant)
    return redirect(url.href, 'setCookie' in visit ? visit.setCookie : undefined)
  }

  /** `GET …/oauth/login/callback/{name}`: the person comes back, with a code or an error. */
  async complete(request: NamedRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const { pages, audit, log } = this.#dependencies
    const upstream = tenant.upstreams.byName.get(request.name)
    const back = upstream && (await returnIn(request, tenant))
    const next = parseNext(back?.next)
    // Nobody guesses 256 bits, so no failure is charged: any page could make a browser bring some.
    if (!upstream || !back || !next) {
      log.warn('somebody came back whom nobody sent to a provider in this browser', {
        tenant: tenant.slug,
        ...(upstream && { provider: request.name }),
      })
      return pages.fault('upstream_lost')
    }
    const purpose = await purposeOf(next, tenant)
    if (!purpose) return redirect(addressOfNext(request.base, next))
    const guest = await this.#guestOf(upstream, back, request, tenant)
    if (guest instanceof UpstreamRefusal) return this.#refuse(guest, request, purpose, tenant)
    await audit.record({
      event: 'user.signed_in',
      outcome: 'success',
      ...toldOf(request, tenant),
      subject: guest.sub,
      provider: request.name,
      subject_proof: guest.subject,
    })
    return goOn(request, tenant, guest.sub, purpose)
  }

  async #guestOf(
    upstream: Upstream,
    { binding }: Return,
    request: NamedRequest,
    { upstreams, users }: Tenant,
  ): Promise<Guest | UpstreamRefusal> {
    const identity = await upstream.identify(request.query, binding)
    if (identity instanceof UpstreamRefusal) return identity
    const { subject } = identity
    const sub = await upstreams.guests.admit(upstream.config, identity)
    if (sub === undefined) return new UpstreamRefusal('upstream_user_unknown', { subject })
    const user = await users.active(sub)
    return user ? { sub, subject } : new UpstreamRefusal('upstream_user_disabled', { subject })
  }

  async #refuse(
    refusal: UpstreamRefusal,
    request: NamedRequest,
    purpose: Purpose,
    tenant: Tenant,
  ): Promise<BrowserAnswer> {
    const { signIn, audit, log } = this.#dependencies
    const { code, detail, subject, isOurs, status, notice, told } = refusal
    if (isOurs) {
      log.warn('nobody can be signed in by a provider', {
        tenant: tenant.slug,
        provider: request.name,
        reason: code,
        detail,
        advice: told,
      })
    }
    await audit.record({
      event: 'user.sign_in_failed',
      outcome: isOurs ? 'failure' : 'denied',
      ...toldOf(request, tenant),
      provider: request.name,
      reason: code,
      subject_proof: subject,
    })
    return signIn.page(request, purpose, tenant, { notice: texts.signIn[notice], status })
  }
}

function returnIn(
  { query, cookies, name }: NamedRequest,
  { sessions, upstreams }: Tenant,
): Promise<Return | undefined> {
  const parameters = Parameters.ofForm(query)
  const state = typeof parameters === 'string' ? undefined : parameters.one('state')
  return upstreams.visits.end(name, sessions.valueIn(cookies), state)
}

/** A client that wants people to show anew who they are, wants it there, for only there they can. */
async function promptFor(next: Next, tenant: Tenant): Promise<string | undefined> {
  if (next.to !== 'authorize') return undefined
  const read = await readAsk(next.query, tenant)
  if (read.kind !== 'ask') return undefined
  const { prompt, maxAge } = read.ask
  if (prompt.has('login') || maxAge !== undefined) return 'login'
  return prompt.has('select_account') ? 'select_account' : undefined
}
