import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeJwt } from 'jose'
import { FakeClock } from '../../fakes/clock.ts'
import { frontDoor, type FrontDoor } from '../../fakes/front_door.ts'
import { CALLBACK, type Peopled } from '../../fakes/peopled_authority.ts'
import { client, secret } from '../../fakes/running_authority.ts'
import { Browser, type Seen } from '../authorize/browser.ts'
import { ALICE, BASE, ORIGIN, PASSWORD, withPeople } from '../authorize/people.ts'
import { CLIENT_ID } from './upstream_provider.ts'
import {
  AUTHORIZE,
  CALLBACK_AT,
  leave,
  secretFile,
  upstreamAt,
  withUpstreams,
  type UpstreamWorld,
} from './upstream_steps.ts'
import { writeFile } from 'node:fs/promises'

/** A second authority of ours is the provider, at an address of its own. */
const clock = new FakeClock()
let door: FrontDoor
let second: Peopled
let ours: UpstreamWorld

beforeAll(async () => {
  door = await frontDoor()
  second = await withPeople({
    clock,
    origin: door.origin,
    tenant: {
      clients: [
        client(CLIENT_ID, {
          grantTypes: ['authorization_code'],
          redirectUris: [`${ORIGIN}${CALLBACK_AT}/partner`],
          grants: [{ scopes: ['openid', 'email', 'profile'] }],
        }),
      ],
    },
  })
  door.leadTo(second.port)
  const file = await secretFile()
  await writeFile(file, secret)
  ours = await withUpstreams([upstreamAt(`${door.origin}${BASE}`, file)], { clock })
})

afterAll(async () => {
  await ours.stop()
  await second.stop()
  await door.close()
})

/** Signs in at the second authority and agrees; the address of ours that it leads back to. */
async function throughSecond(there: Browser, location: string): Promise<string> {
  const page = await there.get(location.replace(door.origin, ''))
  const signedIn = await there.submit(page, { email: 'alice@example.com', password: PASSWORD })
  const consent = await there.follow(signedIn)
  const back = await there.submit(consent, { decision: 'allow' })
  return (back.headers.location ?? '').replace(ORIGIN, '')
}

function codeIn({ headers }: Seen): string {
  return new URL(headers.location ?? '').searchParams.get('code') ?? ''
}

test('a person signs in at a second authority, agrees here, and the client gets a token of theirs', async () => {
  const browser = ours.browser()
  const location = await leave(browser)
  expect(location.startsWith(`${door.origin}${BASE}/oauth/authorize?`)).toBe(true)
  const there = new Browser(second.port, door.origin)
  const back = await browser.get(await throughSecond(there, location))
  expect([back.status, back.headers.location?.startsWith(ORIGIN)]).toEqual([303, true])
  const consent = await browser.follow(back)
  expect(consent.text).toContain('alice@example.com')
  const code = codeIn(await browser.submit(consent, { decision: 'allow' }))
  const { json } = await ours.redeem(code)
  expect(json).toMatchObject({ token_type: 'Bearer', scope: 'openid email read:documents' })
  const claims = decodeJwt(String(json['id_token']))
  expect(claims.sub).toMatch(/^upstream:[0-9a-f-]{36}$/)
  expect(claims).toMatchObject({ email: 'alice@example.com', email_verified: false })

  // She is somebody else than the local user with her address, and the same when she comes again.
  expect(await ours.told()).toEqual([
    {
      event: 'user.signed_in',
      outcome: 'success',
      subject: claims.sub,
      provider: 'partner',
      subject_proof: ALICE,
    },
  ])
  const again = ours.browser()
  const known = await there.get((await leave(again)).replace(door.origin, ''))
  const gone = await again.get((known.headers.location ?? '').replace(ORIGIN, ''))
  const answer = await again.follow(gone)
  expect(answer.headers.location?.startsWith(`${CALLBACK}?code=`)).toBe(true)
})

test('a client that wants the person to sign in anew has them do so there', async () => {
  for (const [more, prompt] of [
    ['prompt=login', 'login'],
    ['max_age=60', 'login'],
    ['prompt=select_account', 'select_account'],
    ['prompt=consent', null],
  ] as const) {
    const location = await leave(ours.browser(), `${AUTHORIZE}&${more}`)
    expect(new URL(location).searchParams.get('prompt')).toBe(prompt)
  }
})

test('under the other prefix it leads there by the same redirect URI', async () => {
  const location = await leave(ours.browser(), AUTHORIZE.replace('/t/', '/orgs/'))
  expect(new URL(location).searchParams.get('redirect_uri')).toBe(`${ORIGIN}${CALLBACK_AT}/partner`)
})
