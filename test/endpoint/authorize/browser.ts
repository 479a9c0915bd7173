import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'

export interface Seen {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

const unescaped: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

/** A browser as far as forms, cookies and redirects go: what a page says is what it does. */
export class Browser {
  readonly #port: number
  readonly #origin: string
  cookies = new Map<string, string>()

  constructor(port: number, origin: string) {
    this.#port = port
    this.#origin = origin
  }

  get(path: string): Promise<Seen> {
    return this.send('GET', path)
  }

  /** Fills a form of a page in and sends it, as its button does: the first form, or the first that holds a text. */
  submit(page: Seen, filled: Readonly<Record<string, string>>, holding = ''): Promise<Seen> {
    const form = page.text
      .split('<form')
      .slice(1)
      .map((part) => `<form${part.split('</form>')[0] ?? ''}`)
      .find((text) => text.includes(holding))
    if (form === undefined) throw new Error(`no form holds ${holding}`)
    const action = unescapeHtml(/<form[^>]* action="([^"]*)"/.exec(form)?.[1] ?? '')
    const hidden = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
      ([, name = '', value = '']) => [name, unescapeHtml(value)],
    )
    // Fetch, "append a request Origin header": a page that sends no referrer sends no origin either.
    const isHidden = page.headers['referrer-policy'] === 'no-referrer'
    return this.post(
      action.replace(this.#origin, ''),
      { ...(Object.fromEntries(hidden) as Record<string, string>), ...filled },
      { origin: isHidden ? 'null' : this.#origin },
    )
  }

  post(
    path: string,
    form: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = { origin: this.#origin },
  ): Promise<Seen> {
    return this.send('POST', path, new URLSearchParams(form).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    })
  }

  send(
    method: string,
    path: string,
    body = '',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Seen> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          host: '127.0.0.1',
          port: this.#port,
          method,
          path,
          headers: { host: new URL(this.#origin).host, ...(cookie && { cookie }), ...headers },
        },
        (answer) => {
          let text = ''
          answer.setEncoding('utf8')
          answer.on('data', (part: string) => (text += part))
          answer.on('end', () => {
            for (const line of answer.headers['set-cookie'] ?? []) this.#keep(line)
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** Goes where a redirect of ours leads. */
  follow({ headers }: Seen): Promise<Seen> {
    return this.get((headers.location ?? '').replace(this.#origin, ''))
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';')
    const [name = '', value = ''] = pair.split('=')
    if (/max-age=0/i.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

function unescapeHtml(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (entity) => unescaped[entity] ?? entity)
}
