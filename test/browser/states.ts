import type { Page } from 'playwright-core'
import { delegate } from './delegated.ts'
import { reachConsent, signIn } from './steps.ts'
import { openTwoAuthorities } from './two_authorities.ts'
import { HOSTILE_SCOPE, LONG_APP, type BrowserWorld } from './world.ts'
import { docs } from '../fakes/running_authority.ts'

/** Something that a person can have before them. Every one is looked at by axe, on a narrow screen, in light and in dark. */
export interface PageState {
  /** The name of its screenshots as well. */
  readonly name: string
  readonly heading: string
  readonly reach: (page: Page, world: BrowserWorld) => Promise<unknown>
}

const longClient = { client_id: LONG_APP }

/** All of them. A new page is one entry more. */
export const pageStates: readonly PageState[] = [
  { name: 'sign-in', heading: 'Sign in', reach: (page, { ask }) => page.goto(ask()) },
  {
    name: 'sign-in-hinted-long',
    heading: 'Sign in',
    reach: (page, { ask }) =>
      page.goto(ask({ ...longClient, login_hint: `${'long.'.repeat(20)}@acme.example` })),
  },
  {
    name: 'sign-in-wrong',
    heading: 'Sign in',
    reach: async (page, { ask, newPerson }) => {
      await page.goto(ask())
      await signIn(page, (await newPerson()).email, 'wrong')
    },
  },
  {
    name: 'sign-in-locked',
    heading: 'Sign in',
    reach: async (page, { ask, newPerson }) => {
      const { email } = await newPerson()
      await page.goto(ask())
      for (let times = 0; times < 6; times += 1) await signIn(page, email, 'wrong')
    },
  },
  {
    name: 'sign-in-upstream',
    heading: 'Sign in',
    reach: async (page) => {
      const { own, stop } = await openTwoAuthorities()
      await page.goto(own.ask())
      await stop()
    },
  },
  { name: 'consent', heading: 'Allow access?', reach: (page, world) => reachConsent(page, world) },
  {
    name: 'consent-to-identity',
    heading: 'Allow access?',
    reach: (page, world) => reachConsent(page, world, { ask: { scope: 'openid' } }),
  },
  {
    name: 'consent-long',
    heading: 'Allow access?',
    reach: (page, world) =>
      reachConsent(page, world, {
        ask: {
          ...longClient,
          scope: `openid email read:documents read:reports ${HOSTILE_SCOPE}`,
        },
      }),
  },
  {
    name: 'consent-at-targets',
    heading: 'Allow access?',
    reach: (page, world) =>
      reachConsent(page, world, { ask: { scope: 'read:documents', resource: docs } }),
  },
  {
    name: 'account-empty',
    heading: 'What acts for you',
    reach: async (page, { issuer, newPerson }) => {
      await page.goto(`${issuer}/account`)
      await signIn(page, (await newPerson()).email)
    },
  },
  {
    name: 'account',
    heading: 'What acts for you',
    reach: async (page, world) => {
      const { person, exchange } = await delegate(page, world)
      await exchange()
      await world.authority.allow(person.sub, 'orchestrator', ['read:documents', 'read:reports'])
      await page.goto(`${world.issuer}/account`)
    },
  },
  {
    name: 'sign-out',
    heading: 'Sign out?',
    reach: async (page, world) => {
      await reachConsent(page, world)
      await page.goto(`${world.issuer}/oauth/logout`)
    },
  },
  {
    name: 'signed-out',
    heading: 'You are signed out',
    reach: (page, { issuer }) => page.goto(`${issuer}/oauth/logout`),
  },
  {
    name: 'fault',
    heading: 'This cannot go on',
    reach: (page, { ask }) => page.goto(ask({ client_id: 'nobody' })),
  },
]
