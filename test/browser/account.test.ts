import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, newVisitor, openChromium } from './chromium.ts'
import { delegate } from './delegated.ts'
import { answerAt, reachConsent, signIn } from './steps.ts'
import { APP, openWorld, type BrowserWorld } from './world.ts'

describe.skipIf(chromiumPath === undefined)('on the page of what acts for them a person', () => {
  let browser: Browser
  let world: BrowserWorld

  beforeAll(async () => {
    ;[browser, world] = await Promise.all([openChromium(), openWorld()])
  })

  afterAll(async () => {
    await browser.close()
    await world.stop()
  })

  const newPage = async (): Promise<Page> => (await newVisitor(browser)).newPage()
  const openAccount = (page: Page) => page.goto(`${world.issuer}/account`)

  test('signs in, and finds nothing', async () => {
    const page = await newPage()
    const { email } = await world.newPerson()
    await openAccount(page)
    await signIn(page, email)
    await page.getByRole('heading', { name: 'What acts for you' }).waitFor()
    for (const none of [
      'Nothing waits for your answer.',
      'No agent acts for you.',
      'No application has access.',
    ]) {
      await page.getByText(none).waitFor()
    }
  })

  test('approves what an agent asks for, sees that it acts, and takes it back', async () => {
    const page = await newPage()
    const { exchange, statusOf } = await delegate(page, world)
    const refused = await exchange()
    expect([refused.status, refused.json['code']]).toEqual([403, 'consent_required'])
    const { approval } = refused.json
    expect(await statusOf(approval)).toBe('pending')

    await openAccount(page)
    const asked = page.getByRole('article', { name: 'doc-analyst asks to act for you.' })
    expect(await asked.getByRole('listitem').allTextContents()).toEqual([
      'read:documents',
      APP,
      'doc-analyst',
    ])
    await asked.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('Nothing waits for your answer.').waitFor()
    expect(await statusOf(approval)).toBe('approved')
    const granted = await exchange()
    expect(granted.status).toBe(200)

    await page
      .getByRole('article', { name: 'doc-analyst' })
      .getByRole('button', { name: 'Take back' })
      .click()
    await page.getByText('No agent acts for you.').waitFor()
    expect((await exchange()).json['code']).toBe('consent_required')
  })

  test('denies what an agent asks for, and the agent is told', async () => {
    const page = await newPage()
    const { exchange, statusOf } = await delegate(page, world)
    const { approval } = (await exchange()).json
    await openAccount(page)
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('Nothing waits for your answer.').waitFor()
    await page.getByText('No agent acts for you.').waitFor()
    expect(await statusOf(approval)).toBe('denied')
  })

  test('answers once: on a page that stayed open they are told so', async () => {
    const page = await newPage()
    const { exchange } = await delegate(page, world)
    await exchange()
    const stale = await page.context().newPage()
    for (const each of [page, stale]) await openAccount(each)
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('Nothing waits for your answer.').waitFor()
    await stale.getByRole('button', { name: 'Approve' }).click()
    expect(await stale.getByRole('alert').textContent()).toBe(
      'This was answered already, or nobody answered in time.',
    )
  })

  test('takes back what an application has, and it has to ask again', async () => {
    const page = await newPage()
    await reachConsent(page, world)
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    await answerAt(page, world)
    await openAccount(page)
    await page
      .getByRole('article', { name: APP })
      .getByRole('button', { name: 'Take back' })
      .click()
    await page.getByText('No application has access.').waitFor()
    await page.goto(world.ask())
    await page.getByRole('heading', { name: 'Allow access?' }).waitFor()
  })

  test('signs out, and is nobody then', async () => {
    const page = await newPage()
    const { email } = await world.newPerson()
    await openAccount(page)
    await signIn(page, email)
    await page.getByRole('link', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    await openAccount(page)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
})
