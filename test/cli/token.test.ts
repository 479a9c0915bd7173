import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import {
  listeningBroker,
  proofClaims,
  proofOf,
  proofPath,
  type ListeningBroker,
} from '../fakes/broker.ts'
import { runInProcess } from '../fakes/io.ts'
import { stubBroker, type StubAnswer } from '../fakes/stub_broker.ts'

let folder: string
let broker: ListeningBroker

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/lumo-token-`)
})

afterAll(() => rm(folder, { recursive: true }))

beforeEach(async () => {
  broker = await listeningBroker()
})

afterEach(() => broker.close())

const askAt = (host: string, ...given: readonly string[]) =>
  runInProcess(['token', '--url', `http://${host}`, ...given], { workingFolder: folder })
const ask = (...given: readonly string[]) => askAt(broker.host, ...given)
const printed = (stdout: string) => ({ exitCode: 0, stdout, stderr: '' })
const refused = (sentence: string) => ({
  exitCode: 1,
  stdout: '',
  stderr: `lumo-broker: ${sentence}\n`,
})

describe('the token of a running broker', () => {
  test.each([
    [[], 'token-1\n'],
    [['--header'], 'Authorization: Bearer token-1\n'],
    [
      ['--json'],
      '{"access_token":"token-1","token_type":"Bearer","expires_in":3600,"scope":"agent:self"}\n',
    ],
  ])('is printed by %j', async (given, stdout) => {
    expect(await ask(...given)).toEqual(printed(stdout))
  })

  test('is for what is asked for', async () => {
    const given = [
      '--audience=https://docs.example.com',
      '--audience=mail',
      '--resource=https://files.example.com/a?b=c&d',
      '--scope=read:documents write:a',
      '--agent=doc-analyst',
      '--min-ttl=60',
    ]
    const { exitCode } = await ask(...given)
    expect(exitCode).toBe(0)
    expect(broker.authority.asked).toMatchObject([
      {
        audiences: ['https://docs.example.com', 'mail'],
        resources: ['https://files.example.com/a?b=c&d'],
        scope: ['read:documents', 'write:a'],
        clientId: 'doc-analyst',
      },
    ])
  })
})

describe('a refusal of the broker is one sentence that says what to do', () => {
  test('of the authority, which will not have this workload', async () => {
    broker.authority.fail(new ExchangeFailure('refused', 'invalid_client', ''))
    expect(await ask()).toEqual(
      refused(
        'the broker answers 403 authority_refused (invalid_client): The authority refuses a token to this workload; does the trust policy of the authority have an agent for this namespace and service account? Its log has the reason, and lumo-broker explain shows it there',
      ),
    )
  })

  test('of the authority, which has not the agent that is named for it', async () => {
    broker.authority.fail(new ExchangeFailure('refused', 'invalid_client', ''))
    const { stderr } = await ask('--agent', 'nobody')
    expect(stderr).toMatch(/lumo-broker explain shows it there, or leave out --agent\n$/)
  })

  test('of the authority, which does not allow this target', async () => {
    broker.authority.fail(new ExchangeFailure('relayed', 'invalid_target', ''))
    expect(await ask('--audience', 'x')).toEqual(
      refused(
        'the broker answers 400 request_refused (invalid_target): The authority does not allow this scope or target; ask for what the grants of this agent name, or have the trust policy of the authority changed',
      ),
    )
  })

  test.each([
    [
      ['--min-ttl', '7200'],
      '400 min_ttl_too_long (invalid_request): No token for this request lives as long as min_ttl; ask for less with --min-ttl, or give the agent a longer lifetime',
    ],
    [
      ['--scope', 'a  b'],
      '400 scope_malformed (invalid_scope): The scope is not well-formed; mend --scope',
    ],
    [
      ['--resource', 'no-uri'],
      '400 target_malformed (invalid_target): A resource must be an absolute URI without a fragment, an audience a name; mend --audience or --resource',
    ],
  ])('of what is asked for by %j', async (given, sentence) => {
    expect(await ask(...given)).toEqual(refused(`the broker answers ${sentence}`))
  })

  test.each([
    [
      'missing',
      (broken: ListeningBroker) => {
        broken.files.remove(proofPath)
      },
      "proof_missing (temporarily_unavailable): The pod's own proof is not there, again in 1 s; is the projected volume mounted in the container of the broker? lumo-broker doctor shows where it breaks",
    ],
    [
      'expired',
      (broken: ListeningBroker) => {
        const claims = { ...proofClaims(broken.clock.now), exp: broken.clock.now - 1 }
        broken.files.write(proofPath, proofOf(claims))
      },
      "proof_expired (temporarily_unavailable): The pod's own proof has expired, again in 1 s; has the kubelet rotated it, and is the clock of this machine right?",
    ],
    [
      'empty',
      (broken: ListeningBroker) => {
        broken.files.write(proofPath, '')
      },
      "proof_empty (temporarily_unavailable): The pod's own proof is empty, again in 1 s; lumo-broker doctor shows where it breaks",
    ],
  ])('of its own proof, which is %s', async (_, breakIt, sentence) => {
    breakIt(broker)
    expect(await ask()).toEqual(refused(`the broker answers 503 ${sentence}`))
  })

  const unavailable = (code: string, status: number, more = {}): StubAnswer => ({
    status,
    headers: { 'retry-after': '7' },
    body: { error: 'temporarily_unavailable', error_description: 'Not now.', code, ...more },
  })
  const stubs: readonly (readonly [name: string, answer: StubAnswer, sentence: string])[] = [
    [
      'with a code of a broker that is newer',
      unavailable('moon_is_full', 503),
      'the broker answers 503 moon_is_full (temporarily_unavailable): Not now, again in 7 s; lumo-broker doctor shows where it breaks',
    ],
    [
      'that does not know the caller',
      unavailable('caller_unproven', 401, { error: 'invalid_token' }),
      'the broker answers 401 caller_unproven (invalid_token): Not now, again in 7 s; is --proof-file the token of a projected volume of this pod, with the audience that the broker takes?',
    ],
    [
      'with a status that nobody knows',
      unavailable('teapot', 418),
      'the broker answers 418 teapot (temporarily_unavailable): Not now, again in 7 s; its log has the reason',
    ],
    [
      'whose text is for another terminal',
      unavailable('overloaded', 503, { error_description: 'a\n\u001b[2Jb\u0085', error: 'A\n' }),
      'the broker answers 503 overloaded: a??[2Jb?, again in 7 s; ask for fewer different tokens at once',
    ],
  ]
  test.each(stubs)('%s', async (_, answer, sentence) => {
    const stub = await stubBroker({ answer: () => answer })
    expect(await askAt(stub.where)).toEqual(refused(sentence))
    await stub.close()
  })
})

describe('what is no broker', () => {
  test('is a port where nothing listens', async () => {
    const { where, close } = await stubBroker()
    await close()
    expect(await askAt(where)).toEqual(
      refused(
        `no broker answers at http://${where} (${where}: ECONNREFUSED); does it run, and is this its address?`,
      ),
    )
  })

  const strangers: readonly (readonly [name: string, answer: StubAnswer, how: string])[] = [
    ['answers a page', { status: 200, body: '<html>' }, ' (200)'],
    ['answers JSON without a token', { status: 200, body: {} }, ''],
    ['answers a token that is no header', { status: 200, body: { access_token: 'a\nb' } }, ''],
    ['knows no such path', { status: 404, body: 'not found' }, ' (404)'],
    ['answers with an error of its own', { status: 403, body: { error: 'denied' } }, ' (403)'],
    ['sends elsewhere', { status: 302, headers: { location: '/x' }, body: '' }, ' (302)'],
  ]
  test.each(strangers)('%s', async (_, answer, how) => {
    const stub = await stubBroker({ answer: () => answer })
    expect(await askAt(stub.where)).toEqual(
      refused(`what answers at http://${stub.where} is no broker${how}; is this its address?`),
    )
    await stub.close()
  })
})

describe('what is no command line', () => {
  test.each([
    [['--header', '--json'], '--header and --json exclude one another'],
    // As shells make them of variables that are not set.
    [['--audience', ''], '--audience must not be empty'],
    [['--resource', ''], '--resource must not be empty'],
    [['--scope', ''], '--scope must not be empty'],
    [['--agent', ''], '--agent must not be empty'],
    [['--min-ttl', ''], '--min-ttl must not be empty'],
    ...['abc', '-5', '1.5', '1e3', '1000000', ' 60'].map(
      (text) =>
        [[`--min-ttl=${text}`], '--min-ttl must be whole seconds, up to 999999'] as [
          string[],
          string,
        ],
    ),
    [
      ['--min-ttl', '-5'],
      '--min-ttl must have a value; one that begins with a dash is given as --min-ttl=VALUE',
    ],
    [['--min-ttl'], '--min-ttl must have a value'],
    [['--json=yes'], '--json takes no value'],
    [['--colour', 'red'], 'there is no option --colour here'],
    // Whoever gives a token by mistake finds it in no log.
    [['eyJhbGciOiJSUzI1NiJ9.e30.c2ln'], 'only options are taken'],
  ])('%j', async (given, sentence) => {
    expect(await ask(...given)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `lumo-broker: ${sentence}; see lumo-broker help\n`,
    })
    expect(broker.authority.asked).toEqual([])
  })
})
