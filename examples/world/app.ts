import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'

interface AppOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  /** Where the token of whoever signed in is left for the agents. */
  readonly tokenFile: string
}

/** The application from which a user comes: they sign in, and their token is what an agent is given to act for them. */
export function appServer(options: AppOptions): Server {
  return createServer((request, response) => {
    void answerTo(request.url ?? '/', options)
      .catch(() => 'The sign-in did not work. Begin again.\n')
      .then((text) => {
        // As text, whatever came in the query.
        response.writeHead(200, {
          'content-type': 'text/plain; charset=utf-8',
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        })
        response.end(text)
      })
  })
}

/** Where a person begins. The examples have one user on one machine, so `state` protects nobody. */
export function signInUrl({ issuer, clientId, redirectUri }: Omit<AppOptions, 'tokenFile'>) {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'openid read:documents',
    state: 'examples',
  })
  return `${issuer}/oauth/authorize?${query.toString()}`
}

async function answerTo(target: string, options: AppOptions): Promise<string> {
  const url = new URL(target, options.redirectUri)
  if (url.pathname !== new URL(options.redirectUri).pathname) return 'There is nothing here.\n'
  const code = url.searchParams.get('code')
  if (code === null) return 'You did not allow it, so there is no token.\n'
  await writeFile(options.tokenFile, await tokenFor(code, options), { mode: 0o600 })
  return `You are signed in. Your token lies in ${options.tokenFile}.\n`
}

async function tokenFor(code: string, options: AppOptions): Promise<string> {
  const { clientId, clientSecret } = options
  const answer = await fetch(`${options.issuer}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: options.redirectUri,
    }),
    signal: AbortSignal.timeout(10_000),
  })
  const { access_token: token } = (await answer.json()) as { readonly access_token?: unknown }
  if (typeof token !== 'string') throw new Error('the code was refused')
  return token
}
