import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { runInProcess } from '../fakes/io.ts'
import { freePorts } from '../fakes/ports.ts'
import { openScene } from '../fakes/program.ts'
import { ISSUER, openPair, SUBJECT } from './sidecar_pair.ts'

const LINKS = 'configuration proof claims clock dns tls authority policy broker cache token'.split(
  ' ',
)

const statesOf = (lines: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    lines.slice(0, -1).map((line) => {
      const [state = '', link = ''] = line.split(/ +|:/)
      return [link, state] as const
    }),
  )

describe.concurrent('doctor', () => {
  test('finds nothing where nothing is broken, and what is, in its order', async ({
    onTestFinished,
  }) => {
    const { run, doctor, at, port, writeProof } = await openPair(onTestFinished)
    const stop = await run()
    const { exitCode, lines } = await doctor()
    expect(lines).toEqual([
      `ok      configuration: lumo.json: tenant acme-corp at https://${port(0)}, proof from ${at('proof/token')}`,
      `ok      proof: ${at('proof/token')} holds a JWT`,
      expect.stringMatching(
        new RegExp(
          `^ok {6}claims: ${SUBJECT} by https://cluster.example, \\d+ min( \\d+ s)? left; pod doc-analyst-0 on node worker-1$`,
        ),
      ),
      'ok      clock: within 60 s of the authority',
      'skipped dns: 127.0.0.1 is an address',
      `ok      tls: ${port(0)} is verified by the CA of broker.authority`,
      `ok      authority: issuer ${ISSUER}`,
      'ok      policy: agent:doc-analyst gets a token for 1 h, scope "agent:self"',
      `ok      broker: ready, and has had a token; http://${port(2)} listens, for ${SUBJECT} as doc-analyst`,
      expect.stringMatching(
        /^ok {6}cache: \d+ tokens? (is|are) kept; the proof that was read last has \d+ min( \d+ s)? left$/,
      ),
      expect.stringMatching(
        /^ok {6}token: the broker gives one for (1 h|59 min( \d+ s)?), scope "agent:self"$/,
      ),
      'nothing is broken',
    ])
    expect(exitCode).toBe(0)

    const refused = await doctor(['--config', 'lumo.json', '--audience', 'https://a.example'])
    const advice = 'ask for an audience or resource that the grants of this agent name'
    expect([refused.exitCode, refused.lines[7], refused.lines[11]]).toEqual([
      1,
      `failed  policy: relayed: the authority says invalid_target; ${advice}`,
      `do first: policy: ${advice}`,
    ])

    await stop()
    await writeProof({ claims: { aud: ['https://kubernetes.default.svc'] } })
    const broken = await doctor()
    expect(broken.exitCode).toBe(1)
    expect(statesOf(broken.lines)).toEqual({
      ...Object.fromEntries(LINKS.map((link) => [link, 'ok'])),
      claims: 'failed',
      dns: 'skipped',
      policy: 'skipped',
      broker: 'failed',
      cache: 'skipped',
      token: 'skipped',
    })
    expect(broken.lines.slice(7)).toEqual([
      'skipped policy: the proof would be refused',
      `failed  broker: no broker answers at http://${port(2)} (${port(2)}: ECONNREFUSED); does it run, and is this its address?`,
      'skipped cache: the broker does not listen',
      'skipped token: the broker does not listen',
      'do first: claims: set the audience of the projected volume, or broker.proof.audience',
    ])
  })

  test('skips what depends on a configuration that is broken', async ({ onTestFinished }) => {
    const { doctor, writeBroker } = await openPair(onTestFinished)
    await writeBroker({ shape: 'cycle' })
    const { exitCode, lines } = await doctor()
    const advice = 'mend that; lumo-broker config check lumo.json reads it in the same way'
    expect([exitCode, lines[0], ...lines.slice(1, -1), lines.at(-1)]).toEqual([
      1,
      `failed  configuration: lumo.json: broker.shape: must be one of sidecar, node, all-in-one; ${advice}`,
      ...LINKS.slice(1).map((link) => `skipped ${link}: the configuration cannot be used`),
      `do first: configuration: ${advice}`,
    ])
  })

  test('says the same to programs', async ({ onTestFinished }) => {
    const { doctor, at, port } = await openPair(onTestFinished)
    const { exitCode, stdout } = await doctor(['--json'], { LUMO_CONFIG: 'lumo.json' })
    const report = JSON.parse(stdout) as {
      ok: boolean
      links: readonly { link: string; state: string }[]
      first: unknown
    }
    const noConnection = {
      link: 'tls',
      state: 'failed',
      detail: `there is no connection to ${port(0)} (ECONNREFUSED)`,
      advice:
        'does the authority run, is broker.authority.url right, and does a NetworkPolicy let this pod reach it?',
    }
    expect([exitCode, report.ok, report.first]).toEqual([1, false, noConnection])
    expect(report.links.map(({ link }) => link)).toEqual(LINKS)
    expect(report.links[1]).toEqual({
      link: 'proof',
      state: 'ok',
      detail: `${at('proof/token')} holds a JWT`,
    })
    expect(report.links[5]).toEqual(noConnection)
  })

  test('leaves the proof to a broker that makes it from its role on AWS', async ({
    onTestFinished,
  }) => {
    const { doctor, writeBroker } = await openPair(onTestFinished)
    const aws = { form: 'web-identity', region: 'eu-central-1' }
    await writeBroker({ proof: { source: 'aws', aws } })
    const { lines } = await doctor()
    const why = 'the running broker makes it from its role on AWS, when it is needed'
    expect([lines[1], lines[2], lines[7]]).toEqual([
      `skipped proof: ${why}`,
      `skipped claims: ${why}`,
      'skipped policy: there is no proof to show',
    ])
  })

  test('looks at the token of a caller where callers prove themselves', async ({
    onTestFinished,
  }) => {
    const { doctor, writeBroker, at, provider, port } = await openPair(onTestFinished)
    const tls = { certFile: at('tls.crt'), keyFile: at('tls.key') }
    await writeBroker({
      shape: 'node',
      tls,
      proof: { audience: ISSUER },
      callers: { nodeName: 'worker-1', providers: [provider] },
    })
    const unshown = await doctor()
    const why = 'callers show their own: give that of one with --proof-file'
    expect(unshown.lines.slice(1, 3)).toEqual([`skipped proof: ${why}`, `skipped claims: ${why}`])
    expect(unshown.lines[8]).toBe(
      `failed  broker: the operations listener at ${port(3)} cannot be asked (ECONNREFUSED); does the broker of this configuration run here? Its log has the reason where it does not`,
    )
    const { lines } = await doctor(['--config', 'lumo.json', '--proof-file', 'proof/token'])
    expect(lines[1]).toBe(`ok      proof: ${at('proof/token')} holds a JWT`)
    expect(lines[2]).toContain(`ok      claims: ${SUBJECT}`)
  })

  test('asks nobody else where the authority runs in the same process', async ({
    onTestFinished,
  }) => {
    const { folder, start, at } = await openScene(onTestFinished)
    const first = await freePorts([0, 1, 10, 20])
    const dev = start('dev', '--first-port', String(first))
    await dev.until((stdout) => (stdout.includes('is ready.') ? true : undefined))
    const config = at('.lumo/config.json')
    const ran = await runInProcess(['doctor', '--config', config], { workingFolder: folder })
    const lines = ran.stdout.trimEnd().split('\n')
    expect(lines.slice(3, 8)).toEqual(
      LINKS.slice(3, 8).map((link) => `skipped ${link}: the authority runs in the same process`),
    )
    expect([ran.exitCode, lines.at(-1)]).toEqual([0, 'nothing is broken'])
    expect(await readFile(config, 'utf8')).toContain('all-in-one')
  })

  test.each([
    [[], '--config must be given'],
    [
      ['--config', 'a', '--url', 'http://127.0.0.1', '--socket', '/a'],
      '--url and --socket exclude one another',
    ],
    [['--config', 'a', '--scope', 'a  b'], '--scope is not well-formed'],
    [['--config', 'a', '--min-ttl', 'abc'], '--min-ttl must be whole seconds, up to 999999'],
    [['--config', 'a', '--audience', ''], '--audience must not be empty'],
    [['--config', 'a', '--url', 'http://a.example'], '--url must be https, or http on loopback'],
  ])('%j is no command line', async (given, sentence) => {
    const environment = { LUMO_CONFIG: '' }
    expect(await runInProcess(['doctor', ...given], { workingFolder: '/', environment })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `lumo-broker: ${sentence}; see lumo-broker help\n`,
    })
  })
})
