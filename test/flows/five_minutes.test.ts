import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { Browser } from '../endpoint/authorize/browser.ts'
import { freePorts } from '../fakes/ports.ts'
import { openScene } from '../fakes/program.ts'

const shell = promisify(execFile)
const readme = fileURLToPath(new URL('../../README.md', import.meta.url))

/** The blocks of one language under "Five minutes", for where this run listens. */
async function blocksOf(language: string, first: number): Promise<readonly string[]> {
  const text = await readFile(readme, 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith('Five minutes\n')) ?? ''
  const blocks = section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))
  return [...blocks].map(([, block = '']) => block.replaceAll(':9170', `:${String(first)}`))
}

test('the five minutes of the README, against the program that it starts', async ({
  onTestFinished,
}) => {
  const scene = await openScene(onTestFinished)
  const first = await freePorts([0, 1, 2, 10, 20])
  const program = scene.start('dev', '--first-port', String(first))
  await program.until((stdout) => (stdout.includes('Ctrl-C ends it.') ? true : undefined))
  const run = async (command: string) =>
    (await shell('sh', ['-c', command], { cwd: scene.folder })).stdout

  const commands = await blocksOf('sh', first)
  expect(commands).toHaveLength(2)
  const answers = await blocksOf('json', first)
  const printed = (await run(commands.join(''))).trim().split('\n')
  const [token, permission] = printed.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect({ ...token, access_token: 'eyJ…' }).toEqual(JSON.parse(answers[0] ?? ''))
  expect(permission).toEqual(JSON.parse(answers[1] ?? ''))

  const origin = `http://127.0.0.1:${String(first)}`
  const [, url = '', password = ''] = [
    '',
    program
      .stdout()
      .split('\n')
      .find((line) => line.includes('/oauth/authorize?'))
      ?.trim(),
    /with the password (\S+):/.exec(program.stdout())?.[1],
  ]
  const browser = new Browser(first, origin)
  const signIn = await browser.get(url.replace(origin, ''))
  const consent = await browser.follow(
    await browser.submit(signIn, { email: 'demo@example.com', password }),
  )
  expect(consent.text).toContain('Demo reports')
  const back = await browser.submit(consent, { decision: 'allow' })
  const shown = await (await fetch(back.headers.location ?? '')).text()
  const tokens = JSON.parse(await run(shown.slice(shown.indexOf('curl')))) as object
  expect(Object.keys(tokens).toSorted()).toEqual([
    'access_token',
    'expires_in',
    'id_token',
    'refresh_token',
    'scope',
    'token_type',
  ])
  const account = await browser.get('/t/acme-corp/api/v1/account')
  expect(account.text).toContain('Demo reports')
})
