import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'

/** What this process is told, as JSON in its one argument. */
export interface SignInsOrder {
  readonly port: number
  /** Path and query of an authorization request. */
  readonly authorize: string
  readonly emails: readonly string[]
  readonly password: string
  readonly perSecond: number
  readonly seconds: number
}

/** What it prints, as JSON. */
export interface SignInsFigures {
  /** Those that ended with a session, in a second, from the first such end to the last. */
  readonly perSecond: number
  readonly failed: number
  /** How often the form was answered with each status; 0 stands for sign-ins that ended otherwise. */
  readonly statuses: Readonly<Record<string, number>>
  /** Milliseconds from the sent form to its answer. */
  readonly p50: number
  readonly p99: number
}

interface Seen {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** People who sign in at fixed times, each with a browser of their own: the page, its cookie, its form, and the right password. */
class SignIns {
  readonly #order: SignInsOrder
  readonly #agent = new Agent({ keepAlive: true })
  readonly #milliseconds: number[] = []
  readonly #ends: number[] = []
  readonly #statuses: Record<string, number> = {}

  constructor(order: SignInsOrder) {
    this.#order = order
  }

  async run(): Promise<SignInsFigures> {
    const { perSecond, seconds } = this.#order
    const total = perSecond * seconds
    const begunAt = performance.now()
    const signIns: Promise<void>[] = []
    for (let nth = 0; nth < total; nth++) {
      await pause(begunAt + (nth * 1000) / perSecond - performance.now())
      signIns.push(this.#signIn(nth))
    }
    await Promise.all(signIns)
    const sorted = this.#milliseconds.toSorted((a, b) => a - b)
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
    return {
      perSecond: rateOf(this.#ends),
      failed: total - sorted.length,
      statuses: this.#statuses,
      p50: at(0.5),
      p99: at(0.99),
    }
  }

  async #signIn(nth: number): Promise<void> {
    const { emails, password, authorize } = this.#order
    const page = await this.#send('GET', authorize).catch(() => undefined)
    const [cookie = ''] = page?.headers['set-cookie']?.[0]?.split(';') ?? []
    const action = /<form[^>]* action="([^"]*)"/.exec(page?.text ?? '')?.[1] ?? ''
    const form = new URLSearchParams({
      ...hiddenOf(page?.text ?? ''),
      email: emails[nth % emails.length] ?? '',
      password,
    })
    const sentAt = performance.now()
    const answer = URL.canParse(action)
      ? await this.#send('POST', new URL(action).pathname, cookie, form).catch(() => undefined)
      : undefined
    const status = answer?.status ?? 0
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
    if (status === 303 && answer?.headers['set-cookie']) {
      const endedAt = performance.now()
      this.#milliseconds.push(endedAt - sentAt)
      this.#ends.push(endedAt)
    }
  }

  #send(method: string, path: string, cookie = '', form?: URLSearchParams): Promise<Seen> {
    const { port } = this.#order
    const headers = {
      ...(cookie && { cookie }),
      ...(form && {
        origin: `http://127.0.0.1:${String(port)}`,
        'content-type': 'application/x-www-form-urlencoded',
      }),
    }
    return new Promise((resolve, reject) => {
      const place = { host: '127.0.0.1', port, method, path, headers, agent: this.#agent }
      const sent = httpRequest(place, (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => (text += part))
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })
        })
      })
      sent.on('error', reject)
      sent.end(form?.toString())
    })
  }
}

/** `ends`: in the order of time, milliseconds. */
function rateOf(ends: readonly number[]): number {
  const [first = Number.NaN] = ends
  const last = ends.at(-1) ?? Number.NaN
  return ((ends.length - 1) / (last - first)) * 1000
}

function hiddenOf(text: string): Readonly<Record<string, string>> {
  const fields = text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)
  return Object.fromEntries(
    [...fields].map(([, name = '', value = '']) => [name, value.replaceAll('&amp;', '&')]),
  )
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, milliseconds))
  })
}

const order = JSON.parse(process.argv[2] ?? '') as SignInsOrder
process.stdout.write(`${JSON.stringify(await new SignIns(order).run())}\n`, () => process.exit(0))
