import {
  LinkFailure,
  type AuthorityLink,
  type LinkAnswer,
  type LinkRequest,
} from '../../src/exchange/link.ts'

interface Page {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The other routes of an authority: every one of them answers alike, as it is told to, and what came is remembered. */
export class FakeLink {
  readonly asked: LinkRequest[] = []
  #answer: LinkAnswer | LinkFailure = pageOf({})
  #gate: PromiseWithResolvers<void> | undefined

  answer(page: Page): void {
    this.#answer = pageOf(page)
  }

  fail(code: LinkFailure['code']): void {
    this.#answer = new LinkFailure(code, 'as the test wants it')
  }

  /** Every request waits until it is released. */
  slowDown(): void {
    this.#gate = Promise.withResolvers()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  readonly send: AuthorityLink = async (request) => {
    this.asked.push(request)
    await this.#gate?.promise
    return this.#answer
  }
}

function pageOf({
  status = 200,
  headers = { 'content-type': 'application/json' },
  body = '{"good":true}',
}: Page): LinkAnswer {
  return { status, header: (name) => headers[name], body }
}
