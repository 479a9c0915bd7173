import type { Page } from 'playwright-core'
import { basic, secret, type Answer } from '../fakes/running_authority.ts'
import { answerAt, reachConsent } from './steps.ts'
import { APP, type BrowserWorld, type Person } from './world.ts'

/** A person who uses the application, which hands their token to an agent. */
export interface Delegated {
  readonly person: Person
  /** The agent asks for a token to act for the person. */
  readonly exchange: () => Promise<Answer>
  /** What the agent is told of what it asked the person for. */
  readonly statusOf: (approval: unknown) => Promise<unknown>
}

/** Signs a new person in, agrees to the application, and gives what came of it to the agent. */
export async function delegate(
  page: Page,
  world: BrowserWorld,
  agent = 'doc-analyst',
): Promise<Delegated> {
  const { authority, app, issuer } = world
  const person = await reachConsent(page, world)
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  const { code = '' } = await answerAt(page, world)
  const asApp = basic(APP, secret)
  const { json } = await authority.redeem(code, { redirect_uri: app.callback }, asApp)
  const subject = String(json['access_token'])
  const actor = await authority.agentToken(agent)
  return {
    person,
    exchange: () =>
      authority.exchange({ subject_token: subject, actor_token: actor, scope: 'read:documents' }),
    statusOf: async (approval) => {
      const answer = await authority.send({
        path: `${new URL(issuer).pathname}/agents/me/approvals/${String(approval)}/status`,
        headers: { authorization: `Bearer ${actor}` },
      })
      return answer.json['status']
    },
  }
}
