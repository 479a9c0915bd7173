import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asWeb } from '../../fakes/peopled_authority.ts'
import { docs, exchangeOf, JWT, TOKEN_PATH } from '../../fakes/running_authority.ts'
import {
  asServiceB,
  asSupport,
  claimsOf,
  exchangeHttp,
  exchangeWorld,
  granted,
  refusesUnchanged,
  wide,
  type Wish,
  type World,
} from './world.ts'

let world: World

/** Somebody with a key of their own, which their tokens are bound to. */
interface Holder {
  readonly jkt: string
  /** The header that shows the key with one request. */
  proof(): Promise<{ readonly dpop: string }>
}

let holder: Holder
let other: Holder

beforeAll(async () => {
  world = await exchangeWorld()
  await world.allow('user_a', 'doc-analyst', wide.split(' '))
  await world.allow('user_a', 'service_b', wide.split(' '))
  holder = await newHolder()
  other = await newHolder()
})

afterAll(async () => {
  await world.stop()
})

async function newHolder(): Promise<Holder> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(publicKey)
  return {
    jkt: await calculateJwkThumbprint(jwk),
    proof: async () => {
      const refused = await world.ask({}, { dpop: 'none' })
      const claims = {
        htm: 'POST',
        htu: `https://auth.example${TOKEN_PATH}`,
        jti: randomBytes(16).toString('hex'),
        iat: world.clock.now,
        nonce: refused.headers['dpop-nonce'],
      }
      const proof = await new SignJWT(claims)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .sign(privateKey)
      return { dpop: proof }
    },
  }
}

type Who = () => Holder | undefined
const nobody: Who = () => undefined
const theHolder: Who = () => holder
const another: Who = () => other

async function headersOf(who: Who): Promise<Readonly<Record<string, string>>> {
  return (await who()?.proof()) ?? {}
}

async function ofUser(boundTo: Who): Promise<string> {
  const code = await world.code({ scope: wide })
  const { json } = await world.redeem(code, {}, { ...asWeb, ...(await headersOf(boundTo)) })
  return String(json['access_token'])
}

async function ofAgent(boundTo: Who): Promise<string> {
  const form = exchangeOf(await world.proofOf('doc-analyst'))
  return granted(await world.ask(form, await headersOf(boundTo)))
}

async function ofServiceB(boundTo: Who): Promise<string> {
  const form = { grant_type: 'client_credentials' }
  const { json } = await world.post(form, { ...asServiceB, ...(await headersOf(boundTo)) })
  return String(json['access_token'])
}

type Make = (boundTo: Who) => Promise<string>

interface Case {
  readonly name: string
  readonly subject: () => Promise<string>
  readonly actor?: () => Promise<string>
  readonly more?: Wish
  readonly headers?: Readonly<Record<string, string>>
  /** Whose proof comes with the request. */
  readonly shows: Who
}

const of = (make: Make, boundTo: Who) => () => make(boundTo)
const user = { free: of(ofUser, nobody), bound: of(ofUser, theHolder) }
const agent = {
  free: of(ofAgent, nobody),
  bound: of(ofAgent, theHolder),
  boundElsewhere: of(ofAgent, another),
}
const service = { bound: of(ofServiceB, theHolder) }

const good: readonly Case[] = [
  {
    name: 'a proof of a pod',
    subject: () => world.proofOf('doc-analyst'),
    more: { subject_token_type: JWT },
    shows: theHolder,
  },
  {
    name: 'a bound token, narrowed',
    subject: user.bound,
    more: { audience: docs },
    shows: theHolder,
  },
  { name: 'a bound token of an agent, narrowed', subject: agent.bound, shows: theHolder },
  { name: 'a free token, narrowed', subject: user.free, shows: theHolder },
  {
    name: 'a bound subject and a free actor',
    subject: user.bound,
    actor: agent.free,
    shows: theHolder,
  },
  {
    name: 'a free subject and a bound actor',
    subject: user.free,
    actor: agent.bound,
    shows: theHolder,
  },
  {
    name: 'subject and actor bound to one key',
    subject: user.bound,
    actor: agent.bound,
    shows: theHolder,
  },
  { name: 'neither bound', subject: user.free, actor: agent.free, shows: theHolder },
  {
    name: 'an actor that authenticates',
    subject: user.bound,
    actor: service.bound,
    headers: asServiceB,
    shows: theHolder,
  },
  { name: 'impersonation', subject: user.bound, headers: asSupport, shows: theHolder },
]

function formOf({ more }: Case, subject: string, actor: string | undefined): Wish {
  return { subject_token: subject, ...(actor !== undefined && { actor_token: actor }), ...more }
}

for (const each of good) {
  test(`what is made with a proof is bound to its key: ${each.name}`, async () => {
    const form = formOf(each, await each.subject(), await each.actor?.())
    const answer = await world.ask(form, { ...each.headers, ...(await headersOf(each.shows)) })
    const token = granted(answer)
    expect(answer.json['token_type']).toBe('DPoP')
    expect(claimsOf(token)['cnf']).toEqual({ jkt: holder.jkt })
    expect(answer.headers['dpop-nonce']).toEqual(expect.any(String))
    // And so it stays: whoever finds it can make nothing of it.
    const found = await world.ask({ subject_token: token })
    expect([found.status, found.json['error']]).toEqual([400, 'invalid_request'])
  })
}

interface Bad extends Case {
  readonly reason: string
}

const subjectUnbound = { reason: 'subject_unbound' }
const actorUnbound = { reason: 'actor_unbound' }
const laundering: readonly Bad[] = [
  { name: 'a bound token without proof', subject: user.bound, shows: nobody, ...subjectUnbound },
  {
    name: 'a bound token with the proof of another',
    subject: user.bound,
    shows: another,
    ...subjectUnbound,
  },
  {
    name: 'a bound token by its own client without proof',
    subject: user.bound,
    headers: asWeb,
    shows: nobody,
    ...subjectUnbound,
  },
  {
    name: 'a bound token of an agent without proof',
    subject: agent.bound,
    shows: nobody,
    ...subjectUnbound,
  },
  {
    name: 'a bound token called a JWT',
    subject: user.bound,
    more: { subject_token_type: JWT },
    shows: nobody,
    ...subjectUnbound,
  },
  {
    name: 'a bound subject beside an actor, without proof',
    subject: user.bound,
    actor: agent.free,
    shows: nobody,
    ...subjectUnbound,
  },
  {
    name: 'a bound subject beside an actor, with the proof of another',
    subject: user.bound,
    actor: agent.free,
    shows: another,
    ...subjectUnbound,
  },
  {
    name: 'a bound subject with the key of the actor',
    subject: user.bound,
    actor: agent.boundElsewhere,
    shows: another,
    ...subjectUnbound,
  },
  {
    name: 'a bound actor without proof',
    subject: user.free,
    actor: agent.bound,
    shows: nobody,
    ...actorUnbound,
  },
  {
    name: 'a bound actor with the proof of another',
    subject: user.free,
    actor: agent.bound,
    shows: another,
    ...actorUnbound,
  },
  {
    name: 'a bound actor with the key of the subject',
    subject: user.bound,
    actor: agent.boundElsewhere,
    shows: theHolder,
    ...actorUnbound,
  },
  {
    name: 'a bound actor that authenticates, without proof',
    subject: user.free,
    actor: service.bound,
    headers: asServiceB,
    shows: nobody,
    ...actorUnbound,
  },
  {
    name: 'the place of a user whose token is bound',
    subject: user.bound,
    headers: asSupport,
    shows: nobody,
    ...subjectUnbound,
  },
]

for (const { reason, ...each } of laundering) {
  test(`a bound token is not laundered into a free one: ${each.name}`, async () => {
    const form = formOf(each, await each.subject(), await each.actor?.())
    const headers = { ...each.headers, ...(await headersOf(each.shows)) }
    const answer = await refusesUnchanged(world, {
      name: each.name,
      http: exchangeHttp(form, headers),
      status: 400,
      error: 'invalid_request',
      reason,
    })
    // The text of every other bad token: a thief does not learn that only the key is missing.
    expect(answer.json['error_description']).toBe(
      'The subject_token or the actor_token is not valid for this request.',
    )
  })
}

test('a proof is good for one exchange', async () => {
  const form = { subject_token: await user.bound(), actor_token: await agent.free() }
  const headers = await holder.proof()
  granted(await world.ask(form, headers))
  await refusesUnchanged(world, {
    name: 'again',
    http: exchangeHttp(form, headers),
    status: 400,
    error: 'invalid_dpop_proof',
    reason: 'dpop_replayed',
  })
})
