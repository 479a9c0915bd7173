import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openExamples, type ExamplesWorld, type Outcome } from './examples_world.ts'
import { isShown, runsOf, type PageRun } from './page_runs.ts'
import { recordOf } from './record.ts'
import { signInAnew, signInAsShown, type Person } from './person.ts'

let world: ExamplesWorld
/** The user whom the world names. */
let demo: Person

beforeAll(async () => {
  world = await openExamples()
  demo = await signInAsShown(world)
})

afterAll(() => world.stop())

afterEach(async () => {
  const folder = join(world.folder, '.lumo/examples')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  expect(names).toHaveLength(4)
  const logs = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  // No token: each begins so.
  for (const text of [...world.printed(), ...logs]) expect(text).not.toContain('eyJ')
})

type OnTestFinished = (end: () => Promise<void>) => void

/** Starts what a page wants in terminals of their own, until the test ends. */
async function startAll(staying: readonly string[], onTestFinished: OnTestFinished) {
  const commands = staying.map((text) => world.run(text))
  onTestFinished(async () => void (await Promise.all(commands.map((command) => command.end()))))
  await Promise.all(commands.map((command) => command.says('listens')))
}

/** Runs a command of a page, which has to print what the page shows: an answer, or else why there is none. */
async function runAsShown({ command, output }: PageRun): Promise<Outcome> {
  const outcome = await world.run(command).ended
  const printed = world.asOnThePage(outcome.stdout === '' ? outcome.stderr : outcome.stdout)
  if (!isShown(output, printed)) expect(printed).toBe(output.text)
  return outcome
}

test('an MCP client has a token for one server, and it is worth nothing at another', async ({
  onTestFinished,
}) => {
  const { staying, runs } = await runsOf('examples/mcp-client/README.md', 3)
  await startAll(staying, onTestFinished)
  const codes: unknown[] = []
  for (const run of runs) codes.push((await runAsShown(run)).code)
  expect(codes).toEqual([0, 1, 1])
})

test('an agent behind the proxy has documents and no token, for itself and for a user', async () => {
  const { runs } = await runsOf('examples/proxy-agent/README.md', 3)
  const [forItself, elsewhere, forUser] = runs as [PageRun, PageRun, PageRun]
  await runAsShown(forItself)
  await runAsShown(elsewhere)

  await demo.handOver()
  const first = await world.run(forUser.command).ended
  expect(first.code).not.toBe(0)
  expect(JSON.parse(first.stdout)).toMatchObject({ code: 'consent_required' })
  await demo.decide('approve')
  const { code, stdout } = await runAsShown(forUser)
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { asked_by: demo.sub }])
  expect(await recordOf(demo.sub, world)).toEqual([
    ['token.issued', 'https://docs.example.com', ['agent:reader']],
    ['token.revoked', undefined, undefined],
  ])
})

const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'])
const noPython = python.status !== 0
if (noPython) process.stderr.write('examples/python-two-hops is not run: no Python 3.9 here\n')

/** With what a caller gets nothing from the specialist. The last comes to the authority, which knows no such key. */
const doors = [
  { name: 'no token', token: () => '', answer: [401, { error: 'invalid_token' }] },
  {
    name: 'a token of the user',
    token: () => demo.token,
    answer: [401, { error: 'invalid_token' }],
  },
  {
    name: 'a token that nobody signed',
    token: () => forgedToken('specialist'),
    answer: [403, { error: 'access_denied', code: 'exchange_refused' }],
  },
]

function forgedToken(audience: string): string {
  const issuer = `${world.places.urlOf('authority')}/t/acme-corp/api/v1`
  const exp = Math.floor(Date.now() / 1000) + 60
  const parts = [
    { alg: 'RS256', kid: 'x', typ: 'at+jwt' },
    { iss: issuer, aud: audience, sub: 'local:1', client_id: 'orchestrator', exp, jti: 'x' },
  ]
  const encoded = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return `${encoded.join('.')}.${Buffer.alloc(256).toString('base64url')}`
}

const languages = [
  { language: 'python', isMissing: noPython },
  { language: 'node', isMissing: false },
]

for (const { language, isMissing } of languages) {
  describe.skipIf(isMissing)(`two hops in ${language}`, () => {
    const page = `examples/${language}-two-hops/README.md`

    test('a user is asked, is seen with the chain at its end, and may say no', async ({
      onTestFinished,
    }) => {
      const { staying, runs } = await runsOf(page, 1)
      const [run] = runs as [PageRun]
      await startAll(staying, onTestFinished)
      const person = await signInAnew(world, `${language}@example.com`)

      const asking = world.run(run.command)
      await asking.says('Please allow orchestrator to act for you')
      await person.decide('approve')
      const { code, stdout } = await asking.ended
      expect([code, isShown(run.output, stdout)]).toEqual([0, true])
      expect(JSON.parse(stdout)).toMatchObject({ asked_by: person.sub })
      // The chain is on record, and what was made in the session ended with it.
      expect(await recordOf(person.sub, world)).toEqual([
        ['token.issued', 'specialist', ['agent:orchestrator']],
        ['token.issued', 'https://docs.example.com', ['agent:orchestrator', 'agent:specialist']],
        ['token.revoked', undefined, undefined],
      ])

      // What was allowed is not asked again.
      expect(await runAsShown(run)).toEqual({ code: 0, stdout, stderr: '' })

      // What was taken back is, and a user may say no.
      await world.operate('grants', 'remove', '--user', person.sub, '--agent', 'orchestrator')
      const refused = world.run(run.command)
      await refused.says('Please allow')
      await person.decide('deny')
      expect(await refused.ended).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/\norchestrator: consent_denied: .+\n$/) as string,
      })
    })

    test('the second agent lets nobody in with a token that is not for it', async ({
      onTestFinished,
    }) => {
      const { staying } = await runsOf(page, 1)
      await startAll(staying, onTestFinished)
      for (const { name, token, answer } of doors) {
        const given = await fetch(`${world.places.urlOf('specialist')}/summary`, {
          headers: { authorization: `Bearer ${token()}` },
        })
        expect([name, given.status, await given.json()]).toEqual([name, ...answer])
      }
    })
  })
}
