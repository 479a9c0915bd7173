import { createHash, randomBytes } from 'node:crypto'
import { Browser, type Seen } from '../endpoint/authorize/browser.ts'
import type { notebook } from './registrations.ts'

/**
 * Somebody signs in at the authority in a browser and agrees, and a public client of theirs gets a token, which is all that
 * this program prints. Runs in a pod that trusts the authority's CA.
 */
const issuer = new URL(process.env['ISSUER'] ?? '')
const { id, redirectUris, grants, email, password } = JSON.parse(
  process.argv.at(-1) ?? '',
) as typeof notebook & { readonly email: string; readonly password: string }

/** The browser of the tests of pages, over TLS. */
class PodBrowser extends Browser {
  override async send(
    method: string,
    path: string,
    body = '',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Seen> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(issuer.origin + path, {
      method,
      redirect: 'manual',
      headers: { ...headers, ...(cookie && { cookie }) },
      ...(method === 'POST' && { body }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
      this.cookies.set(name, value)
    }
    const { status } = answer
    return { status, headers: Object.fromEntries(answer.headers), text: await answer.text() }
  }
}

const verifier = randomBytes(32).toString('base64url')
const client = { client_id: id, redirect_uri: redirectUris[0] ?? '' }
const request = new URLSearchParams({
  ...client,
  response_type: 'code',
  scope: grants.flatMap(({ scopes }) => scopes).join(' '),
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
})
const browser = new PodBrowser(0, issuer.origin)
const page = await browser.get(`${issuer.pathname}/oauth/authorize?${request.toString()}`)
const consent = await browser.follow(await browser.submit(page, { email, password }))
const back = await browser.submit(consent, { decision: 'allow' })
const answer = await browser.post(`${issuer.pathname}/oauth/token`, {
  ...client,
  grant_type: 'authorization_code',
  code: new URL(back.headers.location ?? '').searchParams.get('code') ?? '',
  code_verifier: verifier,
})
if (answer.status !== 200) throw new Error(answer.text)
process.stdout.write((JSON.parse(answer.text) as { readonly access_token: string }).access_token)
