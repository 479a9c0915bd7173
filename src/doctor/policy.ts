import type { RemoteAuthorityConfig } from '../config/config.ts'
import { ExchangeFailure, type ExchangeRequest } from '../exchange/exchanger.ts'
import { exchangeForm, judgeAnswer } from '../exchange/wire.ts'
import { tokenTypes } from '../oauth/token_types.ts'
import { showDuration } from '../platform/duration.ts'
import { HttpFailure } from '../platform/http_client.ts'
import { printable } from '../platform/printable.ts'
import { parseCompactJws, type UnverifiedJws } from '../verifier/jws.ts'
import { failed, ok, type Finding } from './finding.ts'
import type { World } from './world.ts'

/** What the token is to be for. */
export type Target = Pick<ExchangeRequest, 'audiences' | 'resources' | 'scope' | 'clientId'>

const MAX_ANSWER_BYTES = 65_536

/** Link 8: does the authority give a token for the proof? The token is looked at and forgotten. */
export async function policyLink(
  remote: RemoteAuthorityConfig,
  ca: string | undefined,
  { jws, target }: { readonly jws: UnverifiedJws; readonly target: Target },
  { http }: World,
): Promise<Finding> {
  const request = {
    ...target,
    subjectToken: jws.compact,
    subjectTokenType: tokenTypes.jwt,
    urgent: true,
  }
  try {
    const answer = await http({
      method: 'POST',
      url: remote.tokenUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: exchangeForm(request),
      ...(ca !== undefined && { ca }),
      connectTimeoutMs: remote.connectTimeoutMs,
      totalTimeoutMs: remote.totalTimeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    })
    const retryAfter = answer.header('retry-after')
    const result = judgeAnswer({ status: answer.status, retryAfter, body: answer.body }, request)
    if (result instanceof ExchangeFailure) return refusal(result, jws, target)
    const { accessToken, scope, lifetimeSeconds } = result
    const lives = `a token for ${showDuration(lifetimeSeconds)}`
    return ok('policy', `${agentOf(accessToken)}${lives}, scope "${printable(scope ?? '', 300)}"`)
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    const advice = 'try again: it answered a moment ago'
    return failed('policy', `outage: ${printable(error.message, 300)}`, advice)
  }
}

/** By what the token itself says, where it is one that says something. */
function agentOf(token: string): string {
  const jws = parseCompactJws(token)
  const sub = typeof jws === 'string' ? undefined : jws.payload['sub']
  return typeof sub === 'string' ? `${printable(sub, 200)} gets ` : ''
}

function refusal(
  { kind, error, detail }: ExchangeFailure,
  { payload }: UnverifiedJws,
  { clientId }: Target,
): Finding {
  switch (kind) {
    case 'outage':
      return failed(
        'policy',
        `outage: ${error}: ${detail}`,
        'the log of the authority has the reason',
      )
    case 'relayed':
      return failed('policy', `relayed: the authority says ${error}`, adviceOnRequest(error))
    case 'refused': {
      const who = printable(String(payload['sub']), 200)
      const issuer = printable(String(payload['iss']), 200)
      const advice = `does its trust policy have one agent for ${who}, and a provider for issuer ${issuer}? Its log has the reason, and lumo-broker explain shows it there${clientId === undefined ? '' : ', or leave out --agent'}`
      return failed('policy', `refused: the authority says ${error}`, advice)
    }
  }
}

function adviceOnRequest(error: string): string {
  switch (error) {
    case 'invalid_scope':
      return 'ask for scopes that the grants of this agent name'
    case 'invalid_target':
      return 'ask for an audience or resource that the grants of this agent name'
    default:
      return 'it refuses the proof or the request: its log has the reason'
  }
}
