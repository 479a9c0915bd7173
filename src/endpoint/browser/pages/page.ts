import { Eta } from 'eta'
import { consentTemplate, faultTemplate, signInTemplate } from './templates.ts'
import { texts } from './texts.ts'

/** What the pages show. Names come from whoever registered a client: each is escaped. */
interface PageData {
  readonly 'sign-in': {
    readonly client: string
    readonly notice: string | undefined
    readonly action: string
    readonly form: string
    readonly query: string
    readonly email: string
  }
  readonly consent: {
    readonly client: string
    readonly scopes: readonly string[]
    readonly targets: readonly string[]
    readonly user: string
    readonly action: string
    readonly form: string
    readonly query: string
  }
  readonly fault: { readonly message: string }
}

const templates: Readonly<Record<keyof PageData, string>> = {
  'sign-in': signInTemplate,
  consent: consentTemplate,
  fault: faultTemplate,
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
    return this.#eta.render(`@${name}`, { ...data, texts, style: this.#style })
  }
}
