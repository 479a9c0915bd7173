import { expect } from 'vitest'
import type { Page } from 'playwright-core'
import { PASSWORD, type BrowserWorld, type Person } from './world.ts'

/** Fills the sign-in page in and sends it. */
export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Email address').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Comes from the application, signs in, and stands before the consent page. */
export async function reachConsent(
  page: Page,
  world: BrowserWorld,
  more: { readonly ask?: Readonly<Record<string, string>>; readonly person?: Person } = {},
): Promise<Person> {
  const person = more.person ?? (await world.newPerson())
  await page.goto(world.ask(more.ask))
  await signIn(page, person.email)
  await page.getByRole('heading', { name: 'Allow access?' }).waitFor()
  return person
}

/** What the application was told, once the browser is back there. */
export async function answerAt(
  page: Page,
  { app }: BrowserWorld,
): Promise<Readonly<Record<string, string>>> {
  await page.waitForURL(`${app.callback}?**`)
  expect(await page.title()).toBe('The application')
  return Object.fromEntries(new URL(page.url()).searchParams)
}
