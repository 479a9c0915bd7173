import { Eta } from 'eta'
import type { AccountView } from '../../account/view.ts'
import { page, type BrowserAnswer } from '../answers.ts'
import {
  accountTemplate,
  consentTemplate,
  faultTemplate,
  signedOutTemplate,
  signInTemplate,
  signOutTemplate,
} from './templates.ts'
import { texts } from './texts.ts'

/** Of every page with a form. */
interface FormData {
  readonly action: string
  /** Binds it to the browser. */
  readonly form: string
}

/** Another way to sign in. */
export interface UpstreamLink {
  readonly label: string
  readonly href: string
}

/** What the pages show. Names come from whoever registered a client: each is escaped. */
interface PageData {
  readonly 'sign-in': FormData & {
    /** Undefined: the person came by themselves. */
    readonly client: string | undefined
    readonly notice: string | undefined
    readonly next: string
    readonly email: string
    readonly passwords: boolean
    readonly upstreams: readonly UpstreamLink[]
  }
  readonly consent: FormData & {
    readonly client: string
    readonly clientId: string
    readonly scopes: readonly string[]
    readonly targets: readonly string[]
    /** Whether it named no target: then these are all that it may use them at. */
    readonly isAnywhere: boolean
    /** Of what is shown, so that nothing else is agreed to. */
    readonly shown: string
    /** Whether it may go on to others with it. */
    readonly mayActFurther: boolean
    readonly lifetimeSeconds: number
    /** Undefined: it cannot renew what it has. */
    readonly refreshSeconds: number | undefined
    readonly user: string
    readonly sub: string
    readonly signOut: string
    readonly query: string
  }
  readonly account: FormData & AccountView & { readonly user: string; readonly signOut: string }
  readonly 'sign-out': FormData & { readonly user: string; readonly query: string }
  readonly 'signed-out': Readonly<Record<string, never>>
  readonly fault: { readonly message: string }
}

const templates: Readonly<Record<keyof PageData, string>> = {
  'sign-in': signInTemplate,
  consent: consentTemplate,
  account: accountTemplate,
  'sign-out': signOutTemplate,
  'signed-out': signedOutTemplate,
  fault: faultTemplate,
}

/** Why a person cannot go on. */
export type PageFault = Exclude<keyof typeof texts.fault, 'title' | 'advice'>

const statuses: Partial<Record<PageFault, number>> = {
  form_foreign: 403,
  upstream_lost: 403,
  approval_over: 409,
  out: 503,
}

/** Renders the pages that people see; without scripts. */
export class Pages {
  readonly #eta = new Eta({ autoEscape: true, cache: true })
  readonly #style: string

  /** `style`: the path of the style sheet. */
  constructor(style: string) {
    this.#style = style
    for (const [name, template] of Object.entries(templates)) {
      this.#eta.loadTemplate(`@${name}`, template)
    }
  }

  render<Name extends keyof PageData>(name: Name, data: PageData[Name]): string {
    return this.#eta.render(`@${name}`, { ...data, texts, duration, style: this.#style })
  }

  /** The page that tells why it does not go on. */
  fault(fault: PageFault, status = statuses[fault] ?? 400): BrowserAnswer {
    return page(status, this.render('fault', { message: texts.fault[fault] }))
  }
}

/** As people say it: whole days, hours or minutes, rounded up, for a promise must not be shorter than what is. */
function duration(seconds: number): string {
  const { minutes, hours, days } = texts.units
  if (seconds >= 2 * 86_400) return `${String(Math.ceil(seconds / 86_400))} ${days}`
  if (seconds >= 2 * 3_600) return `${String(Math.ceil(seconds / 3_600))} ${hours}`
  return `${String(Math.ceil(seconds / 60))} ${minutes}`
}
