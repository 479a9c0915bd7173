import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { frontDoor, type FrontDoor } from '../fakes/front_door.ts'
import { CALLBACK, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { secret } from '../fakes/running_authority.ts'

const shell = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** The pair of RFC 7636 appendix B. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

let door: FrontDoor
let authority: Peopled
let variables: Record<string, string>

beforeAll(async () => {
  door = await frontDoor()
  authority = await peopledAuthority({ origin: door.origin, clock: systemClock })
  door.leadTo(authority.port)
  variables = {
    ISSUER: `${door.origin}/t/acme-corp/api/v1`,
    CLIENT_ID: 'web',
    CLIENT_SECRET: secret,
    VERIFIER,
    CODE: await authority.code({
      scope: 'openid read:documents',
      codeChallenge: CHALLENGE,
      codeChallengeMethod: 'S256',
      redirectUri: CALLBACK,
    }),
    PROOF: await authority.proofOf('doc-analyst'),
    INTROSPECTOR_ID: 'auditor',
    INTROSPECTOR_SECRET: secret,
  }
})

afterAll(async () => {
  await authority.stop()
  await door.close()
})

/** The commands under a heading, one each. */
async function commandsUnder(
  heading: string,
  page = 'docs/token-endpoint.md',
): Promise<readonly string[]> {
  const text = await readFile(root + page, 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block)
  return blocks.flatMap((block) => block.trim().split(/\n(?=curl )/))
}

async function run(command: string): Promise<Readonly<Record<string, unknown>>> {
  const env = { PATH: process.env['PATH'], ...variables }
  const { stdout } = await shell('sh', ['-c', command], { env })
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>
}

/** What a section's only command answers. */
async function answerUnder(heading: string): Promise<Readonly<Record<string, unknown>>> {
  const [command = '', ...more] = await commandsUnder(heading)
  expect(more).toEqual([])
  return run(command)
}

test('the command of the README works as it stands', async () => {
  const [command = '', ...more] = await commandsUnder('Tokens from the token endpoint', 'README.md')
  expect(more).toEqual([])
  expect(await run(command)).toMatchObject({ token_type: 'Bearer' })
})

test('every command of the page works as it stands, in the order of the page', async () => {
  expect(await answerUnder('A client as itself')).toMatchObject({ token_type: 'Bearer' })

  const signedIn = await answerUnder('A user who signed in')
  expect(signedIn).toMatchObject({ scope: 'openid read:documents' })
  expect(signedIn['id_token']).toBeTypeOf('string')
  variables['USER_TOKEN'] = String(signedIn['access_token'])

  variables['REFRESH_TOKEN'] = String(signedIn['refresh_token'])
  const refreshed = await answerUnder('Going on without the user')
  expect(refreshed['refresh_token']).not.toBe(variables['REFRESH_TOKEN'])
  variables['REFRESH_TOKEN'] = String(refreshed['refresh_token'])

  const agent = await answerUnder('A pod as an agent')
  expect(agent).toMatchObject({ scope: 'agent:self' })
  variables['AGENT_TOKEN'] = String(agent['access_token'])

  expect(await answerUnder('Less of the same token')).toMatchObject({ token_type: 'Bearer' })

  await authority.allow('user_a', 'doc-analyst', ['read:documents'])
  expect(await answerUnder('An agent for a user')).toMatchObject({ scope: 'read:documents' })

  const [introspect = '', userinfo = '', revoke = ''] = await commandsUnder(
    'Looking at a token and ending it',
  )
  expect(await run(introspect)).toMatchObject({ active: true, sub: 'agent:doc-analyst' })
  expect(await run(userinfo)).toMatchObject({ sub: 'user_a' })
  expect(await run(revoke)).toEqual({})
  expect(await authority.introspect(variables['USER_TOKEN'])).toEqual({ active: false })
})
