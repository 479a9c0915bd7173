import type { Peopled } from '../fakes/peopled_authority.ts'
import { basic, FORM, secret, type Answer, type HttpWish } from '../fakes/running_authority.ts'

type Form = Readonly<Record<string, string>>

/** Path of an endpoint of acme-corp. */
export const pathOf = (name: string) => `/t/acme-corp/api/v1/oauth/${name}`

/** Posts a form to an endpoint beside the token endpoint. */
export function postTo(
  world: Peopled,
  name: 'introspect' | 'revoke' | 'userinfo',
  form: Form,
  headers: Form,
  more: HttpWish = {},
): Promise<Answer> {
  return world.send({
    method: 'POST',
    path: pathOf(name),
    headers: { ...FORM, ...headers },
    body: new URLSearchParams(form).toString(),
    ...more,
  })
}

/** A token that another tenant issued to a client of the same name. */
export async function tokenOfGlobex(world: Peopled): Promise<unknown> {
  const { json } = await world.send({
    method: 'POST',
    path: '/t/globex/api/v1/oauth/token',
    headers: { ...FORM, ...basic('web', secret) },
    body: 'grant_type=client_credentials',
  })
  return json['access_token']
}

/** The same text with another character at one place. */
export function turned(token: string, at: number): string {
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

/** A user's token that the orchestrator holds, and what the specialist made of it. */
export async function delegatedTokens(world: Peopled): Promise<readonly [string, string]> {
  await world.allow('user_a', 'orchestrator', ['read:documents'])
  await world.allow('user_a', 'specialist', ['read:documents'])
  const handOn = async (subject: string, agent: string): Promise<string> => {
    const { json, text } = await world.exchange({
      subject_token: subject,
      actor_token: await world.agentToken(agent),
    })
    if (typeof json['access_token'] !== 'string') throw new Error(text)
    return json['access_token']
  }
  const first = await handOn(await world.userToken({ scope: 'read:documents' }), 'orchestrator')
  return [first, await handOn(first, 'specialist')]
}
