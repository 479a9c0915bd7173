import type { Audit } from '../../platform/audit.ts'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import { page, redirect, type BrowserAnswer } from '../browser/answers.ts'
import type { Pages } from '../browser/pages/page.ts'
import { ownForm, toldOf, type BrowserRequest } from '../browser/request.ts'
import { presentAt, type Present } from '../sign_in/present.ts'
import type { SignIn } from '../sign_in/sign_in.ts'
import type { Tenant } from '../tenant.ts'
import { endAgent, endClient } from './take_back.ts'
import { viewOf } from './view.ts'

export interface AccountDependencies {
  readonly signIn: SignIn
  readonly pages: Pages
  readonly audit: Audit
  readonly clock: Clock
}

/** What acts for somebody, and what asks to: the page on which they say yes and no, and take back what they gave. */
export class Account {
  readonly #dependencies: AccountDependencies

  constructor(dependencies: AccountDependencies) {
    this.#dependencies = dependencies
  }

  /** `GET …/account`. */
  async show(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const present = await presentAt(request, tenant)
    return present ? this.#page(request, present, tenant) : this.#signInPage(request, tenant)
  }

  /** `POST …/account`: one thing that the person does there. */
  async act(request: BrowserRequest, tenant: Tenant): Promise<BrowserAnswer> {
    const { pages, audit } = this.#dependencies
    const form = ownForm(request, tenant)
    if (!form) return pages.fault('form_foreign')
    const present = await presentAt(request, tenant)
    if (!present) return this.#signInPage(request, tenant)
    const id = form.one('id') ?? ''
    const told = { ...toldOf(request, tenant), subject: present.sub }
    switch (form.one('action')) {
      case 'approve':
      case 'deny': {
        const decision = form.one('action') === 'approve' ? 'approved' : 'denied'
        const approval = await tenant.approvals.find(id)
        const isOpen = approval?.user === present.sub && approval.status === 'pending'
        if (!isOpen) return pages.fault('approval_over')
        // Recorded first: what is not on record is not approved.
        await audit.record({
          event: `approval.${decision}`,
          outcome: decision === 'approved' ? 'success' : 'denied',
          ...told,
          client_id: approval.agent,
          scope_requested: approval.scopes.join(' '),
        })
        if (!(await tenant.approvals.decide(present.sub, id, decision))) {
          return pages.fault('approval_over')
        }
        break
      }
      case 'end-agent':
        await endAgent(present.sub, id, told, tenant, audit)
        break
      case 'end-client':
        await endClient(present.sub, id, told, tenant, audit)
        break
      default:
        return pages.fault('form_foreign')
    }
    return redirect(`${request.base}/account`)
  }

  async #page(request: BrowserRequest, present: Present, tenant: Tenant): Promise<BrowserAnswer> {
    const { base, cookies } = request
    const now = unixSeconds(this.#dependencies.clock)
    const body = this.#dependencies.pages.render('account', {
      ...(await viewOf(present.sub, now, tenant)),
      user: present.shown,
      action: `${base}/account`,
      signOut: `${base}/oauth/logout`,
      form: tenant.sessions.formValue(tenant.sessions.valueIn(cookies) ?? ''),
    })
    return page(200, body, { forms: 'own' })
  }

  #signInPage(request: BrowserRequest, tenant: Tenant): BrowserAnswer {
    const next = { to: 'account' } as const
    const nothing = { client: undefined, loginHint: undefined, request: undefined }
    const purpose = { next, forms: 'own', ...nothing } as const
    return this.#dependencies.signIn.page(request, purpose, tenant)
  }
}
