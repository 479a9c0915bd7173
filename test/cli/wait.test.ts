import { mkdtemp, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { NotServed, type TokenAnswer } from '../../src/cli/broker_caller.ts'
import { untilToken } from '../../src/cli/wait.ts'
import { settled } from '../fakes/broker.ts'
import { FakeClock } from '../fakes/clock.ts'
import { runInProcess } from '../fakes/io.ts'
import { freePorts, occupy, release } from '../fakes/ports.ts'
import { openScene } from '../fakes/program.ts'
import { stubAnswer, stubBroker, type StubAnswer } from '../fakes/stub_broker.ts'

const served: TokenAnswer = { accessToken: 'a-token', body: {} }
const noAnswer = new NotServed('no_answer', 'no broker answers', 'does it run?')
const nothing =
  'nothing answered yet; a broker whose authority is out answers after trying it for 8 s'
const times = (count: number) => Array.from({ length: count }, () => noAnswer)
const refusal = (status: number) =>
  new NotServed('refused', `the broker answers ${String(status)}`, 'mend it', status)

/** Somebody who waits, on a clock that is moved; what a broker says at each attempt, the last one for ever. */
function waiting(
  answers: readonly (TokenAnswer | NotServed)[],
  { timeoutSeconds }: { timeoutSeconds?: number } = {},
) {
  const clock = new FakeClock()
  const attempts: number[] = []
  const told: string[] = []
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  let signal: AbortSignal | undefined
  const outcome = untilToken(
    (given) => {
      signal = given
      attempts.push(clock.monotonic())
      return Promise.resolve(answers[attempts.length - 1] ?? answers.at(-1) ?? noAnswer)
    },
    { clock, timeoutSeconds, asked, tell: (reason) => told.push(reason) },
  )
  let ended = false
  void outcome.then(() => {
    ended = true
  })
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      await settled()
      clock.advance(50)
    }
    await settled()
  }
  return {
    attempts,
    told,
    ask,
    pass,
    outcome,
    ended: () => ended,
    aborted: () => signal?.aborted ?? false,
  }
}

describe('waiting', () => {
  test('ends at once where there is a token', async () => {
    const { outcome, attempts } = waiting([served])
    expect([await outcome, attempts]).toEqual([undefined, [0]])
  })

  test('asks with pauses that grow to two seconds', async () => {
    const { outcome, attempts, pass } = waiting([...times(6), served])
    await pass(8_000)
    expect(await outcome).toBeUndefined()
    expect(attempts).toEqual([0, 250, 750, 1_750, 3_750, 5_750, 7_750])
  })

  test.each([400, 401, 403, 404, 413])('ends at once with a final refusal, %d', async (status) => {
    const { outcome, attempts } = waiting([refusal(status), served])
    expect([await outcome, attempts]).toEqual([refusal(status).sentence, [0]])
  })

  test.each([
    ['no answer', noAnswer],
    ['something else', new NotServed('no_broker', 'what answers is no broker', 'is it there?')],
    ['408', refusal(408)],
    ['429', refusal(429)],
    ['500', refusal(500)],
    ['503', refusal(503)],
  ])('goes on through %s', async (_, answer) => {
    const { outcome, attempts, pass } = waiting([answer, served])
    await pass(250)
    expect([await outcome, attempts]).toEqual([undefined, [0, 250]])
  })

  test('has an end with a time-out, and says why there was none until then', async () => {
    const { outcome, pass, ended } = waiting([noAnswer, refusal(503)], { timeoutSeconds: 1 })
    await pass(950)
    expect(ended()).toBe(false)
    await pass(50)
    expect(await outcome).toBe('there was no token within 1 s: the broker answers 503; mend it')
  })

  test('ends when it is asked to, never as if there were a token', async () => {
    const { outcome, ask, pass, aborted } = waiting([refusal(503)])
    await pass(500)
    ask()
    expect(await outcome).toBe(
      'it was asked to end before there was a token: the broker answers 503; mend it',
    )
    expect(aborted()).toBe(true)
  })

  test('breaks an attempt off that is under way at the end', async () => {
    const clock = new FakeClock()
    const outcome = untilToken(
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve(new NotServed('no_answer', 'broken off', 'never mind'))
          })
        }),
      { clock, timeoutSeconds: 5, asked: new Promise(() => {}), tell: () => {} },
    )
    clock.advance(5_000)
    expect(await outcome).toBe(`there was no token within 5 s: ${nothing}`)
  })

  test('tells a reason once when it takes long, and another when that changes', async () => {
    const { told, pass } = waiting([...times(12), refusal(503), refusal(503)])
    await pass(9_700)
    expect(told).toEqual([])
    await pass(5_000)
    expect(told).toEqual([noAnswer.sentence])
    await pass(20_000)
    expect(told).toEqual([noAnswer.sentence, refusal(503).sentence])
  })
})

describe('lumo-broker wait', () => {
  const notYet: StubAnswer = {
    status: 503,
    body: {
      error: 'temporarily_unavailable',
      error_description: 'The authority gives no answer at the moment.',
      code: 'authority_unavailable',
    },
  }
  const unavailable =
    'the broker answers 503 authority_unavailable (temporarily_unavailable): The authority gives no answer at the moment; is the authority up, and can this pod reach it? lumo-broker doctor shows where it breaks'

  /** The command in this process, in a folder of its own. */
  async function run(...given: readonly string[]) {
    const folder = await mkdtemp(join(tmpdir(), 'lumo-wait-'))
    try {
      return await runInProcess(['wait', ...given], { workingFolder: folder })
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  test('prints nothing where there is a token, which is the one that is asked for', async () => {
    const { where, seen, close } = await stubBroker()
    const given = ['--url', `http://${where}`, '--audience', 'a', '--min-ttl', '60']
    expect(await run(...given)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(seen.map(({ body }) => body)).toEqual(['audience=a&min_ttl=60'])
    await close()
  })

  test.each([['0'], ['-1'], ['soon'], [''], ['1e9'], ['Infinity']])(
    'takes no time-out of %j',
    async (timeout) => {
      expect(await run(`--timeout=${timeout}`)).toEqual({
        exitCode: 2,
        stdout: '',
        stderr:
          'lumo-broker: --timeout must be seconds, more than 0 and up to 1000000; see lumo-broker help\n',
      })
    },
  )

  test.each(['--json', '--header'])('takes no %s: it prints nothing', async (flag) => {
    expect(await run(flag)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `lumo-broker: there is no option ${flag} here; see lumo-broker help\n`,
    })
  })

  test('gives up with the last reason', async () => {
    const { where, close } = await stubBroker({ answer: () => notYet })
    expect(await run('--url', `http://${where}`, '--timeout', '0.3')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `lumo-broker: there was no token within 0.3 s: ${unavailable}\n`,
    })
    await close()
  })

  test('outlives a broker that does not listen yet', async ({ onTestFinished }) => {
    const { start } = await openScene(onTestFinished)
    const port = await freePorts([0])
    const early = await occupy(port)
    const program = start('wait', '--url', `http://127.0.0.1:${String(port)}`, '--timeout', '20')
    await new Promise<void>((resolve) => {
      early?.once('connection', (socket: Socket) => {
        socket.destroy()
        resolve()
      })
    })
    await release(early)
    let attempts = 0
    const { close } = await stubBroker({
      listenOn: { port },
      answer: () => (++attempts < 3 ? notYet : stubAnswer),
    })
    expect(await program.exited).toEqual({ code: 0, signal: null })
    expect([program.stdout(), program.stderr(), attempts]).toEqual(['', '', 3])
    await close()
  })

  test('ends by SIGTERM at once, also while it waits for an answer', async ({ onTestFinished }) => {
    const { start } = await openScene(onTestFinished)
    const { promise: isAsked, resolve: tellAsked } = Promise.withResolvers<void>()
    const { where, close } = await stubBroker({
      answer: () => {
        tellAsked()
        return new Promise(() => {})
      },
    })
    const program = start('wait', '--url', `http://${where}`)
    await isAsked
    expect(await program.end('SIGTERM')).toEqual({ code: 1, signal: null })
    expect(program.stderr()).toBe(
      `lumo-broker: it was asked to end before there was a token: ${nothing}\n`,
    )
    await close()
  })
})
