import type { STSClientConfig } from '@aws-sdk/client-sts'
import type { HttpClient } from '../platform/http_client.ts'

const BOUNDS = { connectTimeoutMs: 1_000, totalTimeoutMs: 2_500, maxBytes: 65_536 }

/** What the SDK wants sent. */
interface SdkRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** What the SDK reads of an answer: `date` is how it notices a wrong clock. */
const HEADERS = ['content-type', 'date', 'x-amzn-requestid']

/**
 * Lets the SDK send by the client that everything here sends by: with its bounds and its proxy, and without a redirect.
 * The SDK's own takes an answer of any size and knows no proxy.
 */
export function awsHttp(http: HttpClient): NonNullable<STSClientConfig['requestHandler']> {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request: SdkRequest) => {
      const { method, headers, body } = request
      if (method !== 'GET' && method !== 'POST') throw new Error(`the SDK sends ${method}`)
      const answer = await http({
        method,
        url: urlOf(request),
        // The query protocol answers in XML unless it is asked for something else, as our client would.
        headers: { accept: '*/*', ...headers },
        ...(body !== undefined && { body: textOf(body) }),
        ...BOUNDS,
      })
      return {
        response: {
          statusCode: answer.status,
          headers: Object.fromEntries(
            HEADERS.flatMap((name) => {
              const value = answer.header(name)
              return value === undefined ? [] : [[name, value]]
            }),
          ),
          body: Buffer.from(answer.body),
        },
      }
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  }
}

function urlOf({ protocol, hostname, port, path, query = {} }: SdkRequest): URL {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${String(port)}`}`)
  url.pathname = path
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value ?? ''].flat()) url.searchParams.append(name, one)
  }
  return url
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8')
  throw new Error('the SDK sends a body that is no text')
}
