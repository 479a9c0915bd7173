import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, newVisitor, openChromium } from './chromium.ts'
import { answerAt, signIn } from './steps.ts'
import { GUEST_CLIENT, openTwoAuthorities, type TwoAuthorities } from './two_authorities.ts'
import { APP } from './world.ts'

describe.skipIf(chromiumPath === undefined)('at another authority a person', () => {
  let browser: Browser
  let both: TwoAuthorities

  beforeAll(async () => {
    ;[browser, both] = await Promise.all([openChromium(), openTwoAuthorities()])
  })

  afterAll(async () => {
    await browser.close()
    await both.stop()
  })

  const newPage = async (): Promise<Page> => (await newVisitor(browser)).newPage()

  /** Goes from the application to the other authority, and signs in there. */
  async function signInThere(page: Page, email: string): Promise<void> {
    await page.goto(both.own.ask())
    await page.getByRole('link', { name: 'Sign in with Acme staff' }).click()
    await page.waitForURL(`${both.upstream.origin}/**`)
    await signIn(page, email)
  }

  /** Stands before the consent page on which this client asks. */
  const askedBy = (page: Page, client: string) =>
    page
      .getByRole('paragraph')
      .filter({ hasText: `${client} asks for access` })
      .waitFor()

  const press = (page: Page, name: string) =>
    page.getByRole('button', { name, exact: true }).click()

  test('signs in, agrees at both, and is back at the application; the next time by a password alone', async () => {
    const { email } = await both.upstream.newPerson()
    const first = await newPage()
    await signInThere(first, email)
    await askedBy(first, GUEST_CLIENT)
    await press(first, 'Allow')
    await askedBy(first, APP)
    await first.getByText(email).waitFor()
    await press(first, 'Allow')
    expect(await answerAt(first, both.own)).toMatchObject({ iss: both.own.issuer, state: 'opaque' })

    // One form of a page over there leads through four redirects, at two sites, to a third.
    const next = await newPage()
    await signInThere(next, email)
    expect((await answerAt(next, both.own))['code']).toBeTypeOf('string')
  })

  test('does not agree there, is told so here, and may try another way', async () => {
    const page = await newPage()
    await signInThere(page, (await both.upstream.newPerson()).email)
    await askedBy(page, GUEST_CLIENT)
    await press(page, 'Do not allow')
    expect(await page.getByRole('alert').textContent()).toBe(
      'Signing in there did not work. Try again, or use another way.',
    )
    await signIn(page, (await both.own.newPerson()).email)
    await askedBy(page, APP)
  })
})
