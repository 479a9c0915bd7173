import { get as getPlain, type Agent, type IncomingMessage } from 'node:http'
import { get as getOverTls } from 'node:https'
import { text } from 'node:stream/consumers'

interface AskOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly ca?: string
  readonly agent?: Agent
}

/** The body of an answer 200; every other one is an error. */
export async function ask(url: string, { headers, ca, agent }: AskOptions): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { headers, agent: agent ?? false }
    const request = url.startsWith('https:')
      ? getOverTls(url, { ...options, ca }, resolve)
      : getPlain(url, options, resolve)
    request.on('error', reject)
  })
  const body = await text(response)
  if (response.statusCode !== 200) {
    throw new Error(`${url} answered ${String(response.statusCode)}: ${body.slice(0, 200)}`)
  }
  return body
}
