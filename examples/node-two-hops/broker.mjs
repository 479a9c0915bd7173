// The broker beside an agent: sessions, and tokens on behalf of a user.
import { setTimeout as pause } from 'node:timers/promises'
import { ask } from './web.mjs'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const url = process.env.LUMOAUTH_URL ?? 'http://127.0.0.1:9180'

/** There is no token; `code` is one of the broker's, or says that the user did not agree. */
export class Refused extends Error {
  constructor({ code = 'unknown', error_description: sentence = 'No token.' }) {
    super(sentence)
    this.code = code
  }
}

/** Begins an agent session for a user: what is made of their token within it ends with it. */
export async function beginSession(userToken) {
  const { body } = await call('POST', '/v1/sessions', {
    subject_token: userToken,
    subject_token_type: ACCESS_TOKEN,
  })
  return body.session
}

/** Drops and revokes every token of the session. */
export async function endSession(session) {
  await call('DELETE', `/v1/sessions/${encodeURIComponent(session)}`)
}

/** A token on behalf of the session's user. Where they have yet to agree, `tell` is called, and their answer awaited. */
export async function tokenWithin(session, audience, scope, tell) {
  const { status, headers, body } = await call('POST', '/v1/exchange', { session, audience, scope })
  if (status !== 202) return body.access_token
  tell(body)
  return (await decisionOn(body, headers)).access_token
}

/** A token on behalf of the user for whom a caller acts. Whoever is called does not wait for people. */
export async function tokenForCaller(token, audience, scope) {
  const { status, body } = await call('POST', '/v1/exchange', {
    subject_token: token,
    subject_token_type: ACCESS_TOKEN,
    audience,
    scope,
  })
  if (status === 202) {
    throw new Refused({ code: 'consent_required', error_description: 'The user has yet to agree.' })
  }
  return body.access_token
}

async function decisionOn({ handle, expires_in: seconds }, headers) {
  const giveUpAt = performance.now() + seconds * 1000
  let retryAfter = headers.get('retry-after')
  while (performance.now() < giveUpAt) {
    await pause(Number(retryAfter ?? 1) * 1000)
    const answer = await call('GET', `/v1/exchange/${encodeURIComponent(handle)}`)
    if (answer.body.status === 'approved') return answer.body
    if (answer.body.status !== 'pending') throw new Refused(answer.body)
    retryAfter = answer.headers.get('retry-after')
  }
  throw new Refused({ code: 'expired', error_description: 'The user did not answer in time.' })
}

async function call(method, path, form) {
  const answer = await ask(url + path, {
    method,
    headers: { 'Lumo-Broker': 'true' },
    body: form && new URLSearchParams(form),
  })
  if (answer.status >= 400) throw new Refused(answer.body)
  return answer
}
