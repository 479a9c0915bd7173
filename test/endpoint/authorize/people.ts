import { Passwords } from '../../../src/endpoint/sign_in/password.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import {
  CALLBACK,
  peopledAuthority,
  type Peopled,
  type PeopledWish,
} from '../../fakes/peopled_authority.ts'
import { Browser, type Seen } from './browser.ts'

export const ORIGIN = 'https://auth.example'
export const BASE = '/t/acme-corp/api/v1'
export const PASSWORD = 'correct horse battery staple'
export const ALICE = 'local:alice'
export const BOB = 'local:bob'
export const COOKIE = '__Host-lumo-acme-corp'

/** An authority with people who have passwords. */
export async function withPeople(wish: PeopledWish): Promise<Peopled> {
  const world = await peopledAuthority(wish)
  const passwords = new Passwords(systemRandom)
  const password = await passwords.hash(PASSWORD)
  await world.withStore(async (store) => {
    for (const [sub, email] of [
      [ALICE, 'alice@example.com'],
      [BOB, 'bob@example.com'],
    ] as const) {
      await store.addLocalUser({
        tenant: 'acme-corp',
        sub,
        email,
        name: 'A',
        password,
        createdAt: 0,
      })
    }
  })
  return world
}

/** The query of an authorization request of the client `web`. */
export function askFor(more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({
    client_id: 'web',
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid email read:documents',
    state: 'st&te <1>',
    ...more,
  })
  return query.toString()
}

/** A browser in which somebody signed in on the way to a page, and that page. */
export async function signedInAt(
  { port }: Peopled,
  path: string,
  email = 'alice@example.com',
): Promise<[Browser, Seen]> {
  const browser = new Browser(port, ORIGIN)
  const back = await browser.submit(await browser.get(path), { email, password: PASSWORD })
  if (back.status !== 303) throw new Error(`sign-in: ${String(back.status)}`)
  return [browser, await browser.follow(back)]
}
