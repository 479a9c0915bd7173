import { systemClock, type Clock } from '../platform/clock.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { NotServed, type TokenAnswer } from './broker_caller.ts'
import { placeRules } from './broker_place.ts'
import { calledBroker } from './called_broker.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options } from './options.ts'
import { wishOf, wishRules } from './token_wish.ts'

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 2_000
/** Whoever looks at a container that hangs wants to see why; whoever looks at one that started, nothing. */
const SILENT_MS = 10_000
/** While an authority is out an answer takes long, and a short time-out sees none. */
const NOTHING_YET =
  'nothing answered yet; a broker whose authority is out answers after trying it for 8 s'
const MAX_TIMEOUT_SECONDS = 1_000_000

/** `lumo-broker wait`: until a running broker has a token, for init containers. Nothing is printed where it has. */
export async function wait(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, { ...placeRules, ...wishRules, timeout: 'optional' })
  const wish = wishOf(given)
  const timeoutSeconds = timeoutOf(given.timeout)
  const caller = await calledBroker(given, io)
  const failure = await untilToken((signal) => caller.token(wish, signal), {
    clock: awakeClock,
    timeoutSeconds,
    asked: io.asked,
    tell: (reason) => {
      io.stderr.write(`lumo-broker: still waiting: ${reason}\n`)
    },
  })
  if (failure !== undefined) throw new OperatorFault(failure)
  return 0
}

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS) return seconds
  throw new UsageFault(
    `--timeout must be seconds, more than 0 and up to ${String(MAX_TIMEOUT_SECONDS)}`,
  )
}

/** The timers of the system's clock keep no process alive, and between two attempts nothing else would. */
const awakeClock: Clock = {
  ...systemClock,
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => {
      clearTimeout(timer)
    }
  },
}

interface Patience {
  readonly clock: Clock
  /** Undefined: for ever. */
  readonly timeoutSeconds: number | undefined
  /** Resolves when the process is asked to end. */
  readonly asked: Promise<void>
  /** Is told a new reason once it has taken long. */
  readonly tell: (reason: string) => void
}

/** Asks again and again. Undefined: there is a token. Otherwise the sentence that says why there is none. */
export async function untilToken(
  ask: (signal: AbortSignal) => Promise<TokenAnswer | NotServed>,
  { clock, timeoutSeconds, asked, tell }: Patience,
): Promise<string | undefined> {
  const begun = clock.monotonic()
  const end = new AbortController()
  let because = ''
  const endFor = (why: string): void => {
    because ||= why
    end.abort()
  }
  void asked.then(() => {
    endFor('it was asked to end before there was a token')
  })
  const stopClock =
    timeoutSeconds === undefined
      ? () => {}
      : clock.after(timeoutSeconds * 1000, () => {
          endFor(`there was no token within ${String(timeoutSeconds)} s`)
        })
  let last = NOTHING_YET
  let told = ''
  try {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const answer = await ask(end.signal)
      if (!(answer instanceof NotServed)) return undefined
      if (answer.final) return answer.sentence
      // What was broken off at the end says nothing of the broker.
      if (!end.signal.aborted) last = answer.sentence
      if (clock.monotonic() - begun >= SILENT_MS && last !== told) tell((told = last))
      if (!end.signal.aborted) await pauseFor(pause, clock, end.signal)
      if (end.signal.aborted) return `${because}: ${last}`
    }
  } finally {
    stopClock()
  }
}

function pauseFor(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel()
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = clock.after(ms, wake)
    signal.addEventListener('abort', wake)
  })
}
