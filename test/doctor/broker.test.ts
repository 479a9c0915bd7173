import { describe, expect, onTestFinished, test } from 'vitest'
import { brokerLink, type Kind, type LocalBroker } from '../../src/doctor/broker.ts'
import { cacheLink } from '../../src/doctor/cache.ts'
import { failed, firstToMend, ok, skipped, type LinkName } from '../../src/doctor/finding.ts'
import { serve, type Page } from '../fakes/loopback.ts'
import { lineOf, testWorld } from './world.ts'

const world = testWorld()
const good = { '/readyz': {}, '/startupz': {} }

async function operations(pages: Readonly<Record<string, Page>>) {
  const server = await serve(pages)
  onTestFinished(server.close)
  return { url: new URL(server.origin), host: server.host, close: server.close }
}

const where = 'http://127.0.0.1:9180'
const answering = (answer: Awaited<ReturnType<LocalBroker['identity']>>) => ({
  where,
  identity: () => Promise.resolve(answer),
})
const subject = 'system:serviceaccount:research:doc-analyst'
const known = answering({
  said: { proof: { subject }, agent: { sub: 'agent:doc-analyst', client_id: 'doc-analyst' } },
})
const refusing = (status: number | undefined) =>
  answering({ status, what: 'the broker answers so', advice: 'mend it' })

const plain: Kind = { callers: 'none', sinks: false, failedBefore: false }

describe('the running broker', () => {
  const lineFor = async (
    local: ReturnType<typeof answering> | undefined,
    pages: Readonly<Record<string, Page>> | undefined,
    kind: Partial<Kind> = {},
  ) => {
    const at = pages && (await operations(pages))
    const { finding, listens } = await brokerLink(local, at?.url, { ...plain, ...kind }, world)
    return [lineOf(finding), listens]
  }
  const unnamed = 'the configuration does not tell where to ask who it is: name it with --url'

  test.each([
    [
      'that knows its agent',
      known,
      good,
      `ok broker: ready, and has had a token; ${where} listens, for ${subject} as doc-analyst`,
    ],
    [
      'that knows it not yet',
      answering({ said: { proof: { subject }, agent: null } }),
      good,
      `ok broker: ready, and has had a token; ${where} listens, for ${subject}`,
    ],
    [
      'that is of another version',
      answering({ said: {} }),
      good,
      `ok broker: ready, and has had a token; ${where} listens, for a workload`,
    ],
    [
      'with names for another terminal',
      answering({ said: { proof: { subject: 'a\u009b' }, agent: { sub: 'b\n' } } }),
      good,
      `ok broker: ready, and has had a token; ${where} listens, for a? as b?`,
    ],
    [
      'whose operations port is open',
      known,
      undefined,
      `ok broker: ${where} listens, for ${subject} as doc-analyst`,
    ],
    ['that has to be named', undefined, good, `ok broker: ready, and has had a token; ${unnamed}`],
    [
      'that is not ready',
      known,
      { '/readyz': { status: 503 } },
      'failed broker: it is not ready (503); its log has the reason',
    ],
    ['that refuses', refusing(503), good, 'failed broker: the broker answers so; mend it'],
  ])('%s', async (_, local, pages, line) => {
    expect(await lineFor(local, pages)).toEqual([line, true])
  })

  const none = 'it listens, and has had no token yet'
  const waits =
    'it listens, and is still waiting for its first token or for the token of a file of broker.sinks'
  const above = 'mend what failed above, or wait: it goes on asking; its log has the reason'
  test.each([
    ['', {}, `${none}; wait, for it goes on asking; its log has the reason`],
    [', like a link before', { failedBefore: true }, `${none}; ${above}`],
    [
      ' or none for a file',
      { sinks: true },
      `${waits}; wait, for it goes on asking; its log names the file and the code`,
    ],
    [
      ' or none for a file, like a link before',
      { sinks: true, failedBefore: true },
      `${waits}; ${above}`,
    ],
  ])('that had no token yet%s', async (_, kind, said) => {
    const pages = { ...good, '/startupz': { status: 503 } }
    expect(await lineFor(known, pages, kind)).toEqual([`failed broker: ${said}`, true])
  })

  test.each([
    [
      'that does not listen',
      refusing(undefined),
      good,
      'failed broker: the broker answers so; mend it',
    ],
    ['that nothing is known of', undefined, undefined, `skipped broker: ${unnamed}`],
  ])('%s', async (_, local, pages, line) => {
    expect(await lineFor(local, pages)).toEqual([line, false])
  })

  test('whose operations listener is not there', async () => {
    const { url, host, close } = await operations(good)
    await close()
    const { finding, listens } = await brokerLink(known, url, plain, world)
    expect([lineOf(finding), listens]).toEqual([
      `failed broker: the operations listener at ${host} cannot be asked (ECONNREFUSED); does the broker of this configuration run here? Its log has the reason where it does not`,
      true,
    ])
  })

  test.each([
    // Its start-up probe says nothing of tokens.
    [
      'not_shown',
      401,
      `ok broker: ready; ${where} listens; a caller is shown to it with --proof-file`,
    ],
    ['not_shown', 403, 'failed broker: the broker answers so; mend it'],
    ['shown', 401, 'failed broker: the broker answers so; mend it'],
    ['none', 401, 'failed broker: the broker answers so; mend it'],
  ] as const)('whose caller is %s and that answers %d', async (callers, status, line) => {
    const pages = { ...good, '/startupz': { status: 503 } }
    expect(await lineFor(refusing(status), pages, { callers })).toEqual([line, true])
  })
})

describe('the cache', () => {
  const lineFor = async (page: Page) => {
    const { url, host } = await operations({ '/metrics': page })
    return { line: lineOf(await cacheLink(url, world)), host }
  }
  const none = (host: string) =>
    `failed cache: there are no metrics of a cache at ${host}; is it the operations listener of a broker?`

  test.each([
    [
      'lumo_cache_entries 3\nlumo_proof_remaining_seconds 2460\n',
      'ok cache: 3 tokens are kept; the proof that was read last has 41 min left',
    ],
    ['# HELP lumo_cache_entries x\nlumo_cache_entries 1\n', 'ok cache: 1 token is kept'],
    [
      'lumo_cache_entries{a="b c"} 1\nlumo_cache_entries{a="d"} 1e1\n',
      'ok cache: 11 tokens are kept',
    ],
    [
      'lumo_cache_entries 2\nlumo_proof_remaining_seconds -1\n',
      'failed cache: 2 tokens are kept, and the broker holds no proof that is still good; mend the proof: what is kept is served to its end, and nothing comes after it',
    ],
    [
      'lumo_cache_entries 0\nlumo_proof_remaining_seconds 0\n',
      'failed cache: 0 tokens are kept, and the broker holds no proof that is still good; mend the proof: what is kept is served to its end, and nothing comes after it',
    ],
  ])('of %j', async (body, line) => {
    expect((await lineFor({ body })).line).toBe(line)
  })

  test.each<[string, Page]>([
    ['of an authority', { body: 'lumo_cache_entries_of_another 1\n' }],
    ['that is no number', { body: 'lumo_cache_entries many\n' }],
    ['of another program', { status: 404, body: 'lumo_cache_entries 1\n' }],
  ])('%s', async (_, page) => {
    const { line, host } = await lineFor(page)
    expect(line).toBe(none(host))
  })

  test('of a listener that is gone', async () => {
    const { url, host, close } = await operations({})
    await close()
    expect(lineOf(await cacheLink(url, world))).toBe(none(host))
  })
})

describe('what to do first', () => {
  const broken = (link: LinkName, ...suspects: readonly LinkName[]) =>
    failed(link, 'is wrong', 'mend it', suspects)
  const dated = broken('claims', 'clock')
  const audience = broken('claims', 'dns', 'tls', 'authority')

  test.each([
    ['nothing', [ok('proof', ''), skipped('policy', '')], undefined],
    ['the first that failed', [ok('proof', ''), broken('dns'), broken('broker')], 'dns'],
    ['the clock before dates that it makes look wrong', [dated, broken('clock')], 'clock'],
    ['those dates where the clock is right', [dated, ok('clock', ''), broken('tls')], 'claims'],
    ['what comes before those dates', [broken('proof'), dated, broken('clock')], 'proof'],
    ['the clock by itself', [broken('clock'), broken('authority')], 'clock'],
    [
      'a tenant that the audience is made of',
      [audience, broken('clock'), ok('tls', ''), broken('authority')],
      'authority',
    ],
    ['a name that the audience is made of', [audience, broken('dns'), skipped('tls', '')], 'dns'],
    ['the audience alone', [audience, broken('clock'), ok('dns', ''), broken('broker')], 'claims'],
  ] as const)('is %s', (_, findings, link) => {
    expect(firstToMend(findings)?.link).toBe(link)
  })
})
