import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { Browser, type Seen } from '../endpoint/authorize/browser.ts'
import type { ExamplesWorld } from './examples_world.ts'

const ACCOUNT = '/t/acme-corp/api/v1/account'

/** Somebody at a browser, for whom agents can act. */
export interface Person {
  readonly sub: string
  /** Leaves the token where agents find it, as a sign-in does. */
  handOver(): Promise<void>
  /** What the agents were given to act for them. */
  readonly token: string
  /** Answers what an agent asks of them. */
  decide(action: 'approve' | 'deny'): Promise<Seen>
  account(): Promise<Seen>
}

/** Lets somebody new sign in as the page of the world says, so that their token lies where agents find it. */
export async function signInAnew(world: ExamplesWorld, email: string): Promise<Person> {
  const added = await world.operate('users', 'add', '--email', email)
  const password = /password:? +(\S+)/.exec(added)?.[1] ?? ''
  return signIn(world, email, password)
}

/** Lets the user of the world sign in. */
export function signInAsShown(world: ExamplesWorld): Promise<Person> {
  const [, email = '', password = ''] =
    /as (\S+), with the password (\S+):/.exec(world.welcome) ?? []
  return signIn(world, email, password)
}

async function signIn(world: ExamplesWorld, email: string, password: string): Promise<Person> {
  const origin = world.places.urlOf('authority')
  const url = world.welcome.split('\n').find((line) => line.includes('/oauth/authorize?'))
  const browser = new Browser(world.places.portOf('authority'), origin)
  const page = await browser.get((url ?? '').trim().replace(origin, ''))
  const consent = await browser.follow(await browser.submit(page, { email, password }))
  const back = await browser.submit(consent, { decision: 'allow' })
  const told = await (await fetch(back.headers.location ?? '')).text()
  if (!told.includes('user-token')) throw new Error(told)
  const tokenFile = join(world.folder, '.lumo/examples/user-token')
  const token = await readFile(tokenFile, 'utf8')
  const account = () => browser.get(ACCOUNT)
  return {
    sub: decodeJwt(token).sub ?? '',
    token,
    handOver: () => writeFile(tokenFile, token),
    account,
    decide: async (action) => browser.submit(await account(), { action }, 'value="approve"'),
  }
}
