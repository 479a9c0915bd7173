import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { ISSUER, openPair, SUBJECT } from './sidecar_pair.ts'

const DOCS = 'https://docs.example.com'

describe.concurrent('doctor asks the running broker for the token', () => {
  test('which its own policy or what it keeps may refuse', async ({ onTestFinished }) => {
    const { run, doctor, writeBroker, at } = await openPair(onTestFinished)
    const allowed = 'workloads:\n  - { name: any, allow: [{ scopes: [agent:self] }] }\n'
    await writeFile(at('local.yaml'), allowed)
    await writeBroker({ policy: at('local.yaml') })
    await run()
    const place = ['--config', 'lumo.json']
    const lastOf = async (...given: readonly string[]) => {
      const { exitCode, lines } = await doctor([...place, ...given])
      return [exitCode, ...lines.slice(-2)]
    }
    expect((await doctor()).exitCode).toBe(0)

    const ask = 'have the policy of the broker allow this target'
    expect(await lastOf('--audience', DOCS)).toEqual([
      1,
      expect.stringMatching(
        new RegExp(`^failed {2}token: the broker answers 403 audience_not_allowed .*; ${ask}$`),
      ),
      `do first: token: ${ask}`,
    ])
    const less = 'ask for less with --min-ttl, or give the agent a longer lifetime'
    expect(await lastOf('--min-ttl', '99999')).toEqual([
      1,
      expect.stringMatching(
        new RegExp(`^failed {2}token: the broker answers 400 min_ttl_too_long .*; ${less}$`),
      ),
      `do first: token: ${less}`,
    ])
    const { exitCode, lines } = await doctor([...place, '--agent', 'nobody'])
    expect([exitCode, lines.at(7), lines.at(10), lines.at(11)]).toEqual([
      1,
      expect.stringMatching(/^failed {2}policy: refused: .*shows it there, or leave out --agent$/),
      expect.stringMatching(/^failed {2}token: .* 403 .*shows it there, or leave out --agent$/),
      expect.stringMatching(/^do first: policy: .*, or leave out --agent$/),
    ])
  })

  test('which one for a file does not stand for', async ({ onTestFinished }) => {
    const { run, doctor, writeBroker, at } = await openPair(onTestFinished)
    await writeBroker({ sinks: [{ file: at('out'), audience: ['https://a.example'] }] })
    await run()
    const { exitCode, lines } = await doctor()
    const advice = 'wait, for it goes on asking; its log names the file and the code'
    expect([exitCode, lines[8], lines.at(10), lines.at(-1)]).toEqual([
      1,
      `failed  broker: it listens, and is still waiting for its first token or for the token of a file of broker.sinks; ${advice}`,
      expect.stringMatching(/^ok {6}token: /),
      `do first: broker: ${advice}`,
    ])
    const more = await doctor(['--config', 'lumo.json', '--audience', 'https://a.example'])
    expect(more.lines[8]).toContain('; mend what failed above, or wait')
  })

  test('of a node, where a CA vouches for its address', async ({ onTestFinished }) => {
    const { run, doctor, writeBroker, at, provider, port } = await openPair(onTestFinished)
    await writeBroker({
      shape: 'node',
      tls: { certFile: at('tls.crt'), keyFile: at('tls.key') },
      proof: { audience: ISSUER },
      callers: { nodeName: 'worker-1', providers: [provider] },
    })
    const trusting = ['--ca-file', 'ca.pem']
    await run(...trusting, '--proof-file', 'proof/token')
    const place = ['--config', 'lumo.json']
    const shown = await doctor([...place, ...trusting, '--proof-file', 'proof/token'])
    expect([shown.exitCode, ...shown.lines.slice(8)]).toEqual([
      0,
      `ok      broker: ready; https://${port(2)} listens, for ${SUBJECT} as doc-analyst`,
      expect.stringMatching(/^ok {6}cache: /),
      expect.stringMatching(/^ok {6}token: the broker gives one for .*, scope "agent:self"$/),
      'nothing is broken',
    ])
    const unshown = await doctor([...place, ...trusting])
    expect([unshown.exitCode, unshown.lines[10]]).toEqual([
      0,
      'skipped token: a caller is shown to the broker with --proof-file',
    ])
    const unnamed = await doctor([...place, '--proof-file', 'proof/token'])
    expect(unnamed.lines[10]).toBe(
      'skipped token: the configuration does not tell where to ask for it',
    )
  })
})

test('a tenant that is misspelt is mended before the audience that is made of it', async ({
  onTestFinished,
}) => {
  const { start, doctor, writeBroker, at, port } = await openPair(onTestFinished)
  await start('authority.json')
  const url = `https://${port(0)}`
  await writeBroker({
    authority: { url, tenant: 'acme-crop', caFile: at('ca.pem') },
    proof: { file: at('proof/token') },
  })
  const { lines } = await doctor()
  expect([lines[2], lines[6], lines.at(-1)]).toEqual([
    `failed  claims: it is made for ${ISSUER}, and not for ${url}/t/acme-crop/api/v1; set the audience of the projected volume, or broker.proof.audience; or is broker.authority.url or .tenant wrong? The audience is made of them`,
    'failed  authority: it has no tenant acme-crop; mend broker.authority.tenant, or LUMOAUTH_TENANT',
    'do first: authority: mend broker.authority.tenant, or LUMOAUTH_TENANT',
  ])
})
