import { resolve } from 'node:path'
import { readPolicy, tenantOf } from '../compose/administration.ts'
import { systemSurroundings } from '../compose/application.ts'
import { judgeClaims, judgeProof, type Judged } from '../compose/explanation.ts'
import type { TenantConfig } from '../config/config.ts'
import { showFault } from '../config/document.ts'
import { shiftedClock } from '../platform/clock.ts'
import { systemFiles } from '../platform/files.ts'
import type { Log } from '../platform/log.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../platform/strict_json.ts'
import { explainMatch } from '../policy/explain.ts'
import type { Policy } from '../policy/policy.ts'
import { MAX_TOKEN_BYTES, parseCompactJws } from '../verifier/jws.ts'
import { CannotVerify, ProofRefusal } from '../verifier/refusal.ts'
import { say, silent } from './administration.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options } from './options.ts'
import { readConfig } from './config_file.ts'

/**
 * `lumo-broker explain --config FILE --proof FILE | --claims FILE`: what an authority of this configuration would make of a
 * proof, rule by rule. The exit code is 0 where it becomes an agent. The proof itself is never printed.
 */
export async function explain(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, {
    config: 'required',
    tenant: 'optional',
    proof: 'optional',
    claims: 'optional',
    client: 'optional',
  })
  const { proof, claims } = given
  if ((proof === undefined) === (claims === undefined)) {
    throw new UsageFault('explain takes --proof FILE or --claims FILE')
  }
  const { authority } = await readConfig(given.config, io)
  if (!authority) throw new OperatorFault(`${given.config} has no authority`)
  const tenant = tenantOf(authority, given.tenant)
  const system = systemSurroundings(complaining(io), io.environment)
  const around = { ...system, clock: shiftedClock(system.clock, authority.clockOffsetMs) }
  const { policy, conflicts } = await readPolicy(tenant, around)
  for (const conflict of conflicts) say(io, `left out: ${showFault(conflict)}`)
  const shown = await readInput(proof ?? claims ?? '', io)
  const content = proof === undefined ? parseClaims(shown) : payloadOf(shown)
  const judged =
    proof === undefined
      ? await judgeClaims(content, tenant, around)
      : await judgeProof(shown, tenant, around)
  const said = isJsonObject(content) ? content : {}
  return report(
    judged,
    { tenant, policy, client: given.client, verified: proof !== undefined, said },
    io,
  )
}

/** `-` is standard input, so that a proof need not be written to a disk to be looked at. */
async function readInput(name: string, io: Io): Promise<string> {
  const bytes =
    name === '-'
      ? await io.readInput(MAX_TOKEN_BYTES)
      : await systemFiles.read(resolve(io.workingFolder, name), MAX_TOKEN_BYTES)
  return bytes.toString('utf8').trim()
}

function payloadOf(text: string): unknown {
  const jws = parseCompactJws(text)
  return typeof jws === 'string' ? undefined : jws.payload
}

function parseClaims(text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch (error) {
    if (error instanceof JsonFault)
      throw new OperatorFault(`the claims cannot be read: ${error.message}`)
    throw error
  }
}

/** Why keys could not be had is said where it happens, and nowhere else. */
function complaining({ stderr }: Io): Log {
  return {
    ...silent,
    warn: (message, { reason } = {}) => {
      stderr.write(`${message}: ${String(reason)}\n`)
    },
  }
}

interface Asked {
  readonly tenant: TenantConfig
  readonly policy: Policy
  readonly client: string | undefined
  readonly verified: boolean
  /** What a token says of itself. */
  readonly said: Readonly<Record<string, unknown>>
}

function report(
  judged: Judged,
  { tenant, policy, client, verified, said }: Asked,
  io: Io,
): ExitCode {
  if (judged instanceof CannotVerify) {
    say(io, `proof: cannot be verified: ${judged.provider}: ${judged.detail}`)
    return 1
  }
  if (judged instanceof ProofRefusal) {
    const by = judged.provider === undefined ? '' : ` by provider ${judged.provider}`
    say(io, `proof: refused${by}: ${judged.code}: ${judged.detail}`)
    for (const line of hints(judged, tenant, said)) say(io, line)
    return 1
  }
  const how = verified ? 'verified' : 'not verified, taken as signed'
  say(io, `proof: ${how} by provider ${judged.provider}: ${judged.kind} ${judged.subject}`)
  for (const line of explainMatch(policy, judged).lines) say(io, line)
  const others = policy.agents.filter(({ rule }) => rule.provider !== judged.provider).length
  if (others > 0) say(io, `agents of other providers: ${String(others)}`)
  const agent = policy.match(judged, client)
  if (agent === 'none') {
    say(io, client === undefined ? 'result: nobody' : `result: nobody by the client_id ${client}`)
    return 1
  }
  if (agent === 'ambiguous') {
    say(io, 'result: nobody: ambiguous, the request has to name one of those that fit by client_id')
    return 1
  }
  say(io, `result: agent ${agent.name} (client_id ${agent.clientId}, sub ${agent.sub})`)
  return 0
}

/** What there would have been to select. Both are the operator's own texts. */
function hints(
  { code }: ProofRefusal,
  { providers }: TenantConfig,
  { iss, aud }: Readonly<Record<string, unknown>>,
): readonly string[] {
  if (code !== 'issuer_unknown' && code !== 'audience_mismatch') return []
  const own = `it says: issuer ${shown(iss)}; audience ${shown(aud)}`
  const configured = providers.map((provider) => {
    const from = provider.kind === 'aws4_request' ? ['signed requests'] : provider.issuers
    return `provider ${provider.name}: issuers ${from.join(', ')}; audiences ${provider.audiences.join(', ')}`
  })
  return [own, ...configured]
}

/** Unverified, and shown only to whoever gave it: escaped and cut. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'none'
  return text.slice(0, 600).replaceAll(/[^\x20-\x7e]/g, '?')
}
