import { HttpFailure, type HttpAnswer } from '../platform/http_client.ts'
import { printable } from '../platform/printable.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { failed, ok, skipped, type Finding } from './finding.ts'
import type { World } from './world.ts'

/** Why a broker did not say what it is asked. `status` is that of its refusal, where it listens and refuses. */
export interface Trouble {
  readonly status: number | undefined
  readonly what: string
  readonly advice: string
}

/** The running broker of the configuration, as whoever can ask it sees it. */
export interface LocalBroker {
  readonly where: string
  /** `GET /v1/identity`. */
  readonly identity: () => Promise<Said | Trouble>
  /** `POST /v1/token`, without the token. */
  readonly token: () => Promise<Said | Trouble>
}

/** The body of an answer. */
interface Said {
  readonly said: Readonly<Record<string, unknown>>
}

export interface AskedBroker {
  readonly finding: Finding
  /** Whether there is any use in asking further. */
  readonly listens: boolean
}

const BOUNDS = { connectTimeoutMs: 2_000, totalTimeoutMs: 5_000, maxBytes: 4_194_304 }

/** How a broker is told apart from others of the same program. */
export interface Kind {
  /** Whether callers prove themselves, each with a token of its own, and whether one is shown here. */
  readonly callers: 'none' | 'shown' | 'not_shown'
  /** Whether it keeps tokens in files. */
  readonly sinks: boolean
  /** Whether a link before this one failed. */
  readonly failedBefore: boolean
}

/**
 * Link 9: does the broker listen, is it ready, and did it have a token? `local` is absent where it cannot be asked by what
 * the configuration says, and `operations` where its port is not known before it listens.
 */
export async function brokerLink(
  local: Pick<LocalBroker, 'where' | 'identity'> | undefined,
  operations: URL | undefined,
  kind: Kind,
  world: World,
): Promise<AskedBroker> {
  const asked = local ? await askIdentity(local, kind) : { who: undefined }
  if ('finding' in asked) return asked
  if (!operations) {
    const finding = asked.who === undefined ? skipped('broker', UNNAMED) : ok('broker', asked.who)
    return { finding, listens: local !== undefined }
  }
  const fault = await probeFault(operations, kind, world)
  if (fault) return { finding: fault, listens: true }
  const ready = kind.callers === 'none' ? 'ready, and has had a token' : 'ready'
  return { finding: ok('broker', `${ready}; ${asked.who ?? UNNAMED}`), listens: true }
}

const UNNAMED = 'the configuration does not tell where to ask who it is: name it with --url'

async function askIdentity(
  { where, identity }: Pick<LocalBroker, 'where' | 'identity'>,
  { callers }: Kind,
): Promise<AskedBroker | { readonly who: string }> {
  const answer = await identity()
  if ('said' in answer) return { who: `${where} listens, for ${agentOf(answer.said)}` }
  const { status, what, advice } = answer
  if (status === 401 && callers === 'not_shown') {
    return { who: `${where} listens; a caller is shown to it with --proof-file` }
  }
  return { finding: failed('broker', what, advice), listens: status !== undefined }
}

function agentOf({ agent, proof }: Readonly<Record<string, unknown>>): string {
  const name = isJsonObject(agent) ? (agent['client_id'] ?? agent['sub']) : undefined
  const subject = isJsonObject(proof) ? proof['subject'] : undefined
  const who = typeof subject === 'string' ? printable(subject, 200) : 'a workload'
  return typeof name === 'string' ? `${who} as ${printable(name, 200)}` : who
}

async function probeFault(operations: URL, kind: Kind, world: World): Promise<Finding | undefined> {
  const ready = await askOperations('/readyz', operations, world)
  if (ready instanceof HttpFailure) {
    return failed(
      'broker',
      `the operations listener at ${operations.host} cannot be asked (${printable(ready.reason ?? ready.code, 100)})`,
      'does the broker of this configuration run here? Its log has the reason where it does not',
    )
  }
  if (ready.status !== 200) {
    const advice = 'its log has the reason'
    return failed('broker', `it is not ready (${String(ready.status)})`, advice)
  }
  if (kind.callers !== 'none') return undefined
  const started = await askOperations('/startupz', operations, world)
  if (!(started instanceof HttpFailure) && started.status === 200) return undefined
  return failed('broker', ...notStarted(kind))
}

/** Its start-up probe waits for a first token, and for the files of its sinks. */
function notStarted({ sinks, failedBefore }: Kind): readonly [detail: string, advice: string] {
  const detail = sinks
    ? 'it listens, and is still waiting for its first token or for the token of a file of broker.sinks'
    : 'it listens, and has had no token yet'
  if (failedBefore) {
    return [detail, 'mend what failed above, or wait: it goes on asking; its log has the reason']
  }
  const named = sinks ? 'its log names the file and the code' : 'its log has the reason'
  return [detail, `wait, for it goes on asking; ${named}`]
}

export async function askOperations(
  path: string,
  operations: URL,
  { http }: World,
): Promise<HttpAnswer | HttpFailure> {
  try {
    return await http({ ...BOUNDS, method: 'GET', url: new URL(path, operations) })
  } catch (error) {
    if (error instanceof HttpFailure) return error
    throw error
  }
}
