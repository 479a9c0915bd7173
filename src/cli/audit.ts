import { auditKeys } from '../audit/chain.ts'
import { verifyAudit } from '../audit/verify.ts'
import type { Administration } from '../compose/administration.ts'
import { auditSeed } from '../compose/authority_state.ts'
import { MAX_TOKEN_SECONDS } from '../endpoint/revocations.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { say, warn, withAdministration } from './administration.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options, wordAndOptions } from './options.ts'

const place = { config: 'required', tenant: 'optional' } as const
const MAX_TAIL = 100_000

/** `lumo-broker audit tail|show|verify`: the audit trail of an authority. */
export function audit(io: Io): Promise<ExitCode> {
  const [verb, ...rest] = io.arguments
  const within = { ...io, arguments: rest }
  switch (verb) {
    case 'tail':
      return tail(within)
    case 'show':
      return show(within)
    case 'verify':
      return verify(within)
    default:
      throw new UsageFault('audit takes: tail, show ID, verify')
  }
}

function tail(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, { ...place, count: { default: '20' } })
  const count = Number(given.count)
  if (!Number.isInteger(count) || count < 1 || count > MAX_TAIL) {
    throw new UsageFault(`--count must be a number up to ${String(MAX_TAIL)}`)
  }
  return withAdministration(given, io, async ({ tenant, store }) => {
    for (const { text } of await store.auditTail(tenant.slug, count)) sayRow(io, text)
    return 0
  })
}

/** Every row of a segment, or every one that bears a `jti`, a `grant_id` or the hash of a token. */
function show(io: Io): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'segment, jti, grant_id or token_sha256', place)
  return withAdministration(given, io, async ({ tenant, store }) => {
    let found = false
    for await (const { segment, text } of rowsOf(tenant.slug, store)) {
      if (segment !== given.word && !bears(text, given.word)) continue
      sayRow(io, text)
      found = true
    }
    if (!found) warn(io, `the audit trail of tenant ${tenant.slug} has no row of that ID`)
    return 0
  })
}

/** A segment at a time: a trail may be longer than what a process holds. `since` in Unix milliseconds. */
async function* rowsOf(
  tenant: string,
  store: Pick<Administration['store'], 'auditSegments' | 'auditSegment'>,
  since = 0,
): AsyncGenerator<{ readonly segment: string; readonly text: string }> {
  for (const { segment, lastAt } of await store.auditSegments()) {
    if (lastAt < since) continue
    for (const row of await store.auditSegment(segment)) {
      if (row.tenant === tenant) yield { segment, text: row.text }
    }
  }
}

/** Whether the trail says that a token was issued that may still be good: it says so before the token is handed out. */
export async function wasIssued(
  jti: string,
  { tenant, store, surroundings }: Administration,
): Promise<boolean> {
  const since = surroundings.clock.wall() - MAX_TOKEN_SECONDS * 1000
  for await (const { text } of rowsOf(tenant.slug, store, since)) {
    const row = eventOf(text)
    if (row['jti'] === jti && row['event'] === 'token.issued') return true
  }
  return false
}

/** A row that was changed in the store may hold anything, sequences for the operator's terminal too. */
function sayRow(io: Io, text: string): void {
  say(
    io,
    text.replaceAll(
      /\p{Cc}/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  )
}

function bears(text: string, word: string): boolean {
  const row = eventOf(text)
  return ['jti', 'grant_id', 'token_sha256'].some((member) => row[member] === word)
}

/** What is no event any more bears nothing; `verify` is what tells of it. */
function eventOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const event: unknown = JSON.parse(text)
    return isJsonObject(event) ? event : {}
  } catch {
    return {}
  }
}

function verify(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async (administration) => {
    const { store, seal } = administration
    const { publicKey } = auditKeys(auditSeed(seal))
    const { intact, segments } = await verifyAudit(store, publicKey)
    for (const { sentences } of segments) for (const sentence of sentences) say(io, sentence)
    const early = await droppedEarly(
      segments.filter(({ state }) => state === 'dropped').map(({ segment }) => segment),
      administration,
    )
    for (const segment of early) say(io, `segment ${segment}: rows were dropped before their time`)
    const good = intact && early.length === 0
    say(io, good ? 'the audit trail is intact' : 'the audit trail was changed')
    return good ? 0 : 1
  })
}

/** Segments that retention would still keep: somebody else took their rows away. */
async function droppedEarly(
  dropped: readonly string[],
  { store, retentionDays, surroundings }: Administration,
): Promise<readonly string[]> {
  const kept = surroundings.clock.wall() - retentionDays * 86_400_000
  const heads = await store.auditHeads()
  return heads
    .filter(({ segment, closedAt }) => dropped.includes(segment) && closedAt > kept)
    .map(({ segment }) => segment)
}
