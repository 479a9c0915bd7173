import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, newVisitor, openChromium } from './chromium.ts'
import { ONWARD } from './client_app.ts'
import { httpsDoor } from './https_door.ts'
import { answerAt, reachConsent, signIn } from './steps.ts'
import { openWorld, PASSWORD, type BrowserWorld } from './world.ts'

describe.skipIf(chromiumPath === undefined)('a person', () => {
  let browser: Browser
  let world: BrowserWorld

  beforeAll(async () => {
    ;[browser, world] = await Promise.all([openChromium(), openWorld()])
  })

  afterAll(async () => {
    await browser.close()
    await world.stop()
  })

  const newPage = async (wish?: BrowserContextOptions): Promise<Page> =>
    (await newVisitor(browser, wish)).newPage()

  test('signs in, agrees, is back at the application, and is not asked again', async () => {
    const page = await newPage()
    await reachConsent(page, world)
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    const answer = await answerAt(page, world)
    expect(answer).toEqual({
      code: expect.any(String) as string,
      state: 'opaque',
      iss: `${world.origin}/t/acme-corp/api/v1`,
    })
    await page.goto(world.ask())
    expect((await answerAt(page, world))['code']).not.toBe(answer['code'])
  })

  test('does not agree, and the application is told', async () => {
    const page = await newPage()
    await reachConsent(page, world)
    await page.getByRole('button', { name: 'Do not allow' }).click()
    expect(await answerAt(page, world)).toMatchObject({ error: 'access_denied', state: 'opaque' })
    await page.goto(world.ask())
    expect(await page.title()).toBe('Allow access?')
  })

  test('gets to where the application goes on to from its redirect URI', async () => {
    const page = await newPage()
    await reachConsent(page, world, { ask: { state: ONWARD } })
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    await page.waitForURL('http://localhost:*/home')
    expect(await page.title()).toBe('The application')
  })

  test('gets the password wrong, is told, stands in its field, and gets it right', async () => {
    const page = await newPage()
    const { email } = await world.newPerson()
    await page.goto(world.ask())
    await signIn(page, email, 'wrong')
    expect(await page.getByRole('alert').textContent()).toBe('Address or password is wrong.')
    expect(await page.getByLabel('Email address').inputValue()).toBe(email)
    expect(await page.getByLabel('Password').inputValue()).toBe('')
    expect(await focused(page)).toBe('password')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Allow access?' }).waitFor()
  })

  test('that nobody knows sees the page that a wrong password shows', async () => {
    const { email } = await world.newPerson()
    const seen: string[] = []
    for (const address of [email, 'nobody@acme.example']) {
      const page = await newPage()
      await page.goto(world.ask())
      await signIn(page, address, 'wrong')
      await page.getByRole('alert').waitFor()
      const html = await page.content()
      seen.push(html.replaceAll(address, '').replaceAll(/name="form" value="[^"]*"/g, ''))
    }
    expect(seen[0]).toBe(seen[1])
  })

  test('needs no mouse', async () => {
    const page = await newPage()
    const { email } = await world.newPerson()
    await page.goto(world.ask())
    expect(await focused(page)).toBe('email')
    await page.keyboard.type(email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Sign in')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Allow access?' }).waitFor()
    // Nothing is allowed by a key that was pressed too long.
    expect(await focused(page)).toBe('')
    const stops: string[] = []
    for (let times = 0; times < 3; times += 1) {
      await page.keyboard.press('Tab')
      stops.push(await focused(page))
    }
    expect(stops.sort()).toEqual(['Allow', 'Do not allow', 'Sign out'])
    await page.getByRole('button', { name: 'Allow', exact: true }).focus()
    await page.keyboard.press('Space')
    expect((await answerAt(page, world))['code']).toBeTypeOf('string')
  })

  test('with scripts sees the same, and no policy of a page is broken', async () => {
    const page = await newPage({ javaScriptEnabled: true })
    const said: string[] = []
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', (error) => said.push(error.message))
    page.on('requestfailed', (request) => said.push(request.url()))
    await reachConsent(page, world)
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    await answerAt(page, world)
    expect(said).toEqual([])
  })

  test('signs in over https, where the cookie is of this host alone', async () => {
    const secured = await openWorld({ door: await httpsDoor() })
    try {
      const page = await newPage({ ignoreHTTPSErrors: true })
      await reachConsent(page, secured)
      expect(await page.context().cookies()).toMatchObject([
        { name: '__Host-lumo-acme-corp', secure: true, httpOnly: true, sameSite: 'Lax', path: '/' },
      ])
      await page.getByRole('button', { name: 'Allow', exact: true }).click()
      expect((await answerAt(page, secured))['code']).toBeTypeOf('string')
    } finally {
      await secured.stop()
    }
  })
})

/** Where a key that is pressed goes: the id of a field, or the text of a button. */
async function focused(page: Page): Promise<string> {
  const { tag, id, text } = await page.evaluate<{ tag: string; id: string; text: string }>(
    '(({ tagName, id, textContent }) => ({ tag: tagName, id, text: textContent }))(document.activeElement)',
  )
  if (tag === 'BODY') return ''
  return tag === 'INPUT' ? id : text
}
