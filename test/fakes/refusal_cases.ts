import { expect } from 'vitest'
import { credentials, type Answer, type HttpWish, type TestAuthority } from './running_authority.ts'

/** A request that has to be refused, and the one answer that it has to get. */
export interface RefusalCase {
  readonly name: string
  readonly http: HttpWish | ((authority: TestAuthority) => HttpWish | Promise<HttpWish>)
  readonly status: number
  readonly error: string
  readonly code?: string
  /** What the operator's log says, where the wire says the same of many. Absent: refused before there is a request to log. */
  readonly reason?: string
}

export async function wishOf({ http }: RefusalCase, authority: TestAuthority): Promise<HttpWish> {
  return typeof http === 'function' ? http(authority) : http
}

export function refusalOf({ status, json }: Answer) {
  return { status, error: json['error'], code: json['code'] }
}

/** Sends the request of a case, and holds answer and log line against what the case says. */
export async function refuses(authority: TestAuthority, wanted: RefusalCase): Promise<Answer> {
  const answer = await authority.send(await wishOf(wanted, authority))
  const { status, error, code, reason } = wanted
  expect(refusalOf(answer)).toEqual({ status, error, code })
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.json['error_description']).toMatch(/^[A-Z][\x20-\x7e]+\.$/)
  if (reason !== undefined) {
    expect(authority.log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { reason } })
  }
  return answer
}

/** Sends a whole table at once, and looks whether the process is then what it was. */
export async function survives(
  authority: TestAuthority,
  cases: readonly RefusalCase[],
): Promise<void> {
  const jwks = { path: '/t/acme-corp/api/v1/.well-known/jwks.json' }
  const before = await authority.send(jwks)
  const wishes = await Promise.all(cases.map((one) => wishOf(one, authority)))
  const answers = await Promise.all(wishes.map((wish) => authority.send(wish)))
  expect(answers.map(({ status }, at) => [cases[at]?.name, status])).toEqual(
    cases.map(({ name, status }) => [name, status]),
  )
  expect(authority.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  expect((await authority.post(credentials())).status).toBe(200)
  const after = await authority.send(jwks)
  expect(after.status).toBe(200)
  expect(after.text).toBe(before.text)
}
