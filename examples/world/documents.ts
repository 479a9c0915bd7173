import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose'

interface DocumentsOptions {
  readonly issuer: string
  /** What this server is called in tokens. */
  readonly audience: string
  /** Who may act for a user here, by `sub`. */
  readonly actors: ReadonlySet<string>
}

/** `act` of a token (RFC 8693 section 4.1): the outermost acts now, whoever acted before is nested inside. */
interface Act {
  readonly sub?: unknown
  readonly iss?: unknown
  readonly act?: Act
}

const LONGEST_CHAIN = 3

/** What refuses a request, as RFC 6750 section 3 says it. */
class Refusal extends Error {
  readonly status: 401 | 403
  readonly code: 'invalid_token' | 'insufficient_scope'

  constructor(status: 401 | 403, code: Refusal['code'], sentence: string) {
    super(sentence)
    this.status = status
    this.code = code
  }
}

/** The API at the end of the examples: it serves documents to whoever has a token for it, and says who asked. */
export function documentsServer(options: DocumentsOptions): Server {
  const keys = createRemoteJWKSet(new URL(`${options.issuer}/.well-known/jwks.json`), {
    timeoutDuration: 5_000,
  })
  return createServer((request, response) => {
    void documentsFor(request, keys, options).then(
      (body) => {
        send(response, 200, body)
      },
      (error: unknown) => {
        refuse(response, error)
      },
    )
  })
}

async function documentsFor(
  request: IncomingMessage,
  keys: ReturnType<typeof createRemoteJWKSet>,
  { issuer, audience, actors }: DocumentsOptions,
): Promise<object> {
  const [, token = ''] = /^Bearer ([^ ]+)$/i.exec(request.headers.authorization ?? '') ?? []
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: ['RS256'],
    requiredClaims: ['exp', 'sub'],
  }).catch((error: unknown) => {
    if (isOurs(error)) throw error
    throw new Refusal(401, 'invalid_token', 'This is no token for this server.')
  })
  if (payload['cnf'] !== undefined) {
    throw new Refusal(401, 'invalid_token', 'The token is bound to a key.')
  }
  const through = chainOf(payload, issuer)
  if (through.length > LONGEST_CHAIN || !through.every((sub) => actors.has(sub))) {
    throw new Refusal(403, 'insufficient_scope', 'Somebody in the chain may not act here.')
  }
  const { scope } = payload
  if (typeof scope !== 'string' || !scope.split(' ').includes('read:documents')) {
    throw new Refusal(403, 'insufficient_scope', 'read:documents is needed.')
  }
  return { documents: ['annual-report', 'budget'], asked_by: payload.sub, through }
}

/** Whether the keys could not be had, which says nothing about the token. */
function isOurs(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true
  return ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT'].includes(error.code)
}

/** Who acted for the subject, the first one first. Actors of another issuer could be anybody. */
function chainOf(payload: JWTPayload, issuer: string): readonly string[] {
  const chain: string[] = []
  let act = payload['act'] as Act | undefined
  while (act && chain.length <= LONGEST_CHAIN) {
    if (act.iss !== issuer) throw new Refusal(403, 'insufficient_scope', 'A foreign actor.')
    chain.unshift(String(act.sub))
    act = act.act
  }
  return chain
}

function refuse(response: ServerResponse, error: unknown): void {
  if (!(error instanceof Refusal)) {
    send(response, 503, { error: 'temporarily_unavailable' })
    return
  }
  response.setHeader('www-authenticate', `Bearer error="${error.code}"`)
  send(response, error.status, { error: error.code, error_description: error.message })
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(`${JSON.stringify(body)}\n`)
}
