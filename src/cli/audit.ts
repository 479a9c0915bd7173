import { auditKeys } from '../audit/chain.ts'
import { verifyAudit } from '../audit/verify.ts'
import { auditSeed } from '../compose/authority.ts'
import { say, withAdministration } from './administration.ts'
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
      throw new UsageFault('audit takes: tail, show TEXT, verify')
  }
}

function tail(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, { ...place, count: { default: '20' } })
  const count = Number(given.count)
  if (!Number.isInteger(count) || count < 1 || count > MAX_TAIL) {
    throw new UsageFault(`--count must be a number up to ${String(MAX_TAIL)}`)
  }
  return withAdministration(given, io, async ({ tenant, store }) => {
    for (const { text } of await store.auditTail(tenant.slug, count)) say(io, text)
    return 0
  })
}

/** Every row of a segment, or every one that bears a `jti`, a `grant_id` or the hash of a token. */
function show(io: Io): Promise<ExitCode> {
  const given = wordAndOptions(io.arguments, 'segment, jti, grant_id or token_sha256', place)
  return withAdministration(given, io, async ({ tenant, store }) => {
    for (const { segment } of await store.auditSegments()) {
      for (const row of await store.auditSegment(segment)) {
        const meant = segment === given.word || bears(row.text, given.word)
        if (row.tenant === tenant.slug && meant) say(io, row.text)
      }
    }
    return 0
  })
}

function bears(text: string, word: string): boolean {
  const { jti, grant_id: grantId, token_sha256: hash } = JSON.parse(text) as Record<string, unknown>
  return [jti, grantId, hash].includes(word)
}

function verify(io: Io): Promise<ExitCode> {
  return withAdministration(options(io.arguments, place), io, async ({ store, seal }) => {
    const { publicKey } = auditKeys(auditSeed(seal))
    const { intact, segments } = await verifyAudit(store, publicKey)
    for (const { sentences } of segments) for (const sentence of sentences) say(io, sentence)
    say(io, intact ? 'the audit trail is intact' : 'the audit trail was changed')
    return intact ? 0 : 1
  })
}
