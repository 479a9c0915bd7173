import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, newVisitor, openChromium } from './chromium.ts'
import { signIn } from './steps.ts'
import { HOSTILE_SCOPE, openWorld, type BrowserWorld } from './world.ts'

describe.skipIf(chromiumPath === undefined)('a page', () => {
  let browser: Browser
  let world: BrowserWorld

  beforeAll(async () => {
    ;[browser, world] = await Promise.all([openChromium(), openWorld()])
  })

  afterAll(async () => {
    await browser.close()
    await world.stop()
  })

  // With scripts, so that one that got in would run.
  const newPage = async (): Promise<Page> =>
    (await newVisitor(browser, { javaScriptEnabled: true })).newPage()

  test('shows HTML in names as text', async () => {
    const page = await newPage()
    const email = '<img/src=x/onerror=document.title=2>@acme.example'
    await world.newPerson(email)
    await page.goto(world.ask({ login_hint: '"><script>document.title=3</script>' }))
    expect(await page.getByLabel('Email address').inputValue()).toBe(
      '"><script>document.title=3</script>',
    )
    await page.goto(world.ask({ scope: `openid ${HOSTILE_SCOPE}` }))
    // The field itself would not let such an address through; whoever attacks has a field of their own.
    await page.evaluate('document.querySelector("form").noValidate = true')
    await signIn(page, email)
    await page.getByRole('heading', { name: 'Allow access?' }).waitFor()
    await page.getByText(HOSTILE_SCOPE).waitFor()
    await page.getByText(email).waitFor()
    expect(await page.evaluate('document.querySelectorAll("script, img").length')).toBe(0)
    expect(await page.title()).toBe('Allow access?')
  })

  test('shows nothing in a frame of another origin', async () => {
    const page = await newPage()
    await page.goto(
      world.app.show(`<iframe src="${world.ask().replaceAll('&', '&amp;')}"></iframe>`),
    )
    const frame = page.frames()[1]
    await frame?.waitForLoadState()
    expect(await frame?.evaluate('document.body.textContent.includes("Sign in")')).toBe(false)
  })
})
