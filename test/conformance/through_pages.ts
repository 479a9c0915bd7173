import { Passwords } from '../../src/endpoint/sign_in/password.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { Browser } from '../endpoint/authorize/browser.ts'
import type { ServedAuthority } from './served_authority.ts'

const EMAIL = 'carol@example.com'
const PASSWORD = 'correct horse battery staple'
export const CAROL = 'local:carol'

/** Somebody who can sign in. */
export async function addCarol(served: ServedAuthority): Promise<void> {
  const password = await new Passwords(systemRandom).hash(PASSWORD)
  await served.withStore((store) =>
    store.addLocalUser({
      tenant: 'acme-corp',
      sub: CAROL,
      email: EMAIL,
      name: 'Carol',
      password,
      createdAt: 0,
    }),
  )
}

/** Goes where a client library sends a browser, signs in, agrees, and gives the address at which the client gets its answer. */
export async function throughPages({ port, origin }: ServedAuthority, url: URL): Promise<URL> {
  const browser = new Browser(port, origin)
  const signIn = await browser.get(url.pathname + url.search)
  const back = await browser.submit(signIn, { email: EMAIL, password: PASSWORD })
  const page = await browser.follow(back)
  const answer = page.status === 303 ? page : await browser.submit(page, { decision: 'allow' })
  return new URL(answer.headers.location ?? '')
}
