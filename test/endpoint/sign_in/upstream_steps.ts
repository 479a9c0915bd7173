import { expect } from 'vitest'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newFolder, type Json } from '../../fakes/running_authority.ts'
import { Browser, type Seen } from '../authorize/browser.ts'
import { ALICE, askFor, BASE, ORIGIN } from '../authorize/people.ts'
import { peopledAuthority, type Peopled, type PeopledWish } from '../../fakes/peopled_authority.ts'
import { CLIENT_ID, CLIENT_SECRET, type FakeProvider } from './upstream_provider.ts'

export const AUTHORIZE = `${BASE}/oauth/authorize?${askFor()}`
export const CALLBACK_AT = `${BASE}/oauth/login/callback`

/** The file with our secret at the provider, as an operator mounts it. */
export async function secretFile(): Promise<string> {
  const file = join(await newFolder(), 'secret')
  await writeFile(file, `${CLIENT_SECRET}\n`)
  return file
}

/** A provider in the configuration. */
export function upstreamAt(issuer: string, clientSecretFile: string, more: Json = {}): Json {
  return {
    name: 'partner',
    label: 'Partner',
    issuer,
    clientId: CLIENT_ID,
    clientSecretFile,
    users: 'anyone',
    ...more,
  }
}

export interface UpstreamWorld extends Peopled {
  browser(): Browser
  /** What the audit trail says of sign-ins by providers, without what each row has. */
  told(): Promise<readonly Json[]>
}

/** An authority with a user of its own, who does not come here, and others who come from elsewhere. */
export async function withUpstreams(
  upstreams: readonly Json[],
  wish: PeopledWish,
): Promise<UpstreamWorld> {
  const world = await peopledAuthority({ ...wish, tenant: { upstreams, ...wish.tenant } })
  const alice = { sub: ALICE, email: 'alice@example.com', name: 'A' }
  await world.withStore((store) =>
    store.addLocalUser({ tenant: 'acme-corp', password: '', createdAt: 0, ...alice }),
  )
  return {
    ...world,
    browser: () => new Browser(world.port, ORIGIN),
    told: async () => {
      const rows = await world.withStore((store) => store.auditTail('acme-corp', 1_000))
      return rows
        .map(({ text }) => JSON.parse(text) as Json)
        .filter(({ provider, event }) => provider !== undefined && String(event).startsWith('user'))
        .map(({ event, outcome, subject, provider, reason, subject_proof }) => ({
          event,
          outcome,
          subject,
          provider,
          reason,
          subject_proof,
        }))
    },
  }
}

/** Where the sign-in page leads by the button with this label. */
export function linkIn({ text }: Seen, label: string): string {
  const [, href = ''] = new RegExp(`<a [^>]*href="([^"]*)">[^<]* ${label}</a>`).exec(text) ?? []
  return href.replaceAll('&amp;', '&').replace(ORIGIN, '')
}

/** From a page that asks who it is to the provider. The address to which ours sends the browser. */
export async function leave(
  browser: Browser,
  path = AUTHORIZE,
  label = 'Partner',
): Promise<string> {
  const { status, headers } = await browser.get(linkIn(await browser.get(path), label))
  if (status !== 303) throw new Error(String(status))
  return headers.location ?? ''
}

/** The address of ours to which the provider sends the browser back. */
export async function wayBack(
  browser: Browser,
  provider: FakeProvider,
  path = AUTHORIZE,
): Promise<string> {
  return provider.signIn(await leave(browser, path)).replace(ORIGIN, '')
}

/** Nobody is signed in in a browser. */
export async function expectNobody(browser: Browser): Promise<void> {
  expect((await browser.get(`${BASE}/account`)).text).toContain('<h1>Sign in</h1>')
}

/** A person reads that they were not signed in, and the operator why. */
export async function expectRefused(
  world: UpstreamWorld,
  browser: Browser,
  seen: Seen,
  reason: string,
): Promise<void> {
  const isOurs = seen.status === 503
  expect(seen.text).toContain('<h1>Sign in</h1>')
  expect((await world.told()).at(-1)).toMatchObject({
    event: 'user.sign_in_failed',
    outcome: isOurs ? 'failure' : 'denied',
    provider: 'partner',
    reason,
  })
  const lines = world.log.lines.splice(0).filter(({ level }) => level !== 'info')
  expect(lines.map(({ fields }) => fields['reason'])).toEqual(isOurs ? [reason] : [])
  await expectNobody(browser)
}
