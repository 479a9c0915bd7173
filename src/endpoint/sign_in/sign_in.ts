import { page, redirect, type BrowserAnswer } from '../browser/answers.ts'
import type { Pages, UpstreamLink } from '../browser/pages/page.ts'
import { texts } from '../browser/pages/texts.ts'
import { ownForm, type BrowserRequest } from '../browser/request.ts'
import type { Tenant } from '../tenant.ts'
import {
  addressOfNext,
  afterSignIn,
  parseNext,
  purposeOf,
  textOfNext,
  type Next,
  type Purpose,
} from './next.ts'
import type { PasswordSignIn } from './password_sign_in.ts'
import type { Upstreams } from './upstream/upstreams.ts'

export interface SignInDependencies {
  readonly passwords: PasswordSignIn
  readonly pages: Pages
}

interface Shown {
  readonly notice?: string
  readonly email?: string
  readonly status?: number
}

/** The page on which people show who they are. */
export class SignIn {
  readonly #dependencies: SignInDependencies

  constructor(dependencies: SignInDependencies) {
    this.#dependencies = dependencies
  }

  page(
    { cookies, base }: BrowserRequest,
    { next, client, loginHint, forms }: Purpose,
    { sessions, settings, upstreams }: Tenant,
    { notice, email, status = 200 }: Shown = {},
  ): BrowserAnswer {
    const known = sessions.valueIn(cookies)
    const visit = known === undefined ? sessions.visit() : { value: known }
    const body = this.#dependencies.pages.render('sign-in', {
      client,
      notice,
      action: `${base}/oauth/login`,
      form: sessions.formValue(visit.value),
      next: textOfNext(next),
      email: email ?? loginHint ?? '',
      passwords: settings.passwords,
      upstreams: linksTo(upstreams, base, next),
    })
    return page(status, body, {
      forms,
      ...('setCookie' in visit && { setCookie: visit.setCookie }),
    })
  }

  /** `POST …/oauth/login`: address and password. */
  async submit(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const form = ownForm(request, tenant)
    const next = parseNext(form?.one('continue'))
    // Where passwords are off, no page of ours has the form.
    if (!form || !next || !tenant.settings.passwords) {
      return this.#dependencies.pages.fault('form_foreign')
    }
    const purpose = await purposeOf(next, tenant)
    if (!purpose) return redirect(addressOfNext(request.base, next))
    const email = (form.one('email') ?? '').trim().toLowerCase().slice(0, 255)
    const password = form.one('password') ?? ''
    const outcome = await this.#dependencies.passwords.who({ email, password }, request, tenant)
    if (typeof outcome === 'string') {
      return this.page(request, purpose, tenant, {
        notice: texts.signIn[outcome],
        email,
        status: outcome === 'wrong' ? 400 : 429,
      })
    }
    return goOn(request, tenant, outcome.sub, purpose)
  }
}

function linksTo({ byName }: Upstreams, base: string, next: Next): readonly UpstreamLink[] {
  const query = new URLSearchParams({ continue: textOfNext(next) }).toString()
  return [...byName.values()].map(({ config: { name, label } }) => ({
    label,
    href: `${base}/oauth/login/upstream/${name}?${query}`,
  }))
}

/** Somebody has shown who they are: on to where they wanted, with a session of their own. */
export async function goOn(
  { cookies, base }: BrowserRequest,
  { sessions }: Tenant,
  sub: string,
  { next, request }: Purpose,
): Promise<BrowserAnswer> {
  const setCookie = await sessions.open(sub, sessions.valueIn(cookies), request)
  return redirect(addressOfNext(base, afterSignIn(next)), setCookie)
}
