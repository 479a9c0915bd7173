import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listeningBroker, type ListeningBroker } from '../../fakes/broker.ts'
import {
  agentClaims,
  exchangeForm,
  guarded,
  postForm,
  tokenOf,
  userClaims,
  type DropInForm,
} from '../../fakes/drop_in.ts'
import { ACCESS_TOKEN, JWT } from '../../fakes/running_authority.ts'

let broker: ListeningBroker

beforeEach(async () => {
  broker = await listeningBroker({ dropIn: guarded })
  broker.authority.tokenOf = (count) => tokenOf({ ...agentClaims, jti: String(count) })
})

afterEach(() => broker.close())

/** The workload's own token, as the broker has it once it was asked for anything. */
const ownToken = tokenOf({ ...agentClaims, jti: '1' })
const anotherOwn = tokenOf({ ...agentClaims, jti: 'another' })
const userToken = tokenOf(userClaims)
const heldToken = tokenOf({
  ...userClaims,
  client_id: 'doc-analyst',
  act: { sub: 'agent:doc-analyst' },
})
/** Of the same client, and yet nobody acts with it for the user. */
const unheldToken = tokenOf({ ...userClaims, client_id: 'doc-analyst' })
const heldByAnother = tokenOf({
  ...userClaims,
  client_id: 'doc-analyst',
  act: { sub: 'agent:x', act: { sub: 'agent:doc-analyst' } },
})
const actor = (token: string): DropInForm => ({
  actor_token: token,
  actor_token_type: ACCESS_TOKEN,
})
const unguarded = { client_id: undefined, client_secret: undefined }

/** Lets the broker learn who the workload is. */
const warm = () => broker.getToken.byExchange(broker.workload, broker.wishOf('') as never)

const codeOf = async (form: DropInForm) => {
  const { status, json } = await postForm(broker, form)
  return [status, json['code']]
}

describe.each([true, false])('who the workload is: known %s', (isKnown) => {
  beforeEach(async () => {
    if (isKnown) await warm()
  })

  const sent: readonly (readonly [string, DropInForm, object])[] = [
    [
      'its own token is narrowed',
      exchangeForm(anotherOwn),
      { subjectToken: anotherOwn, actor: undefined },
    ],
    [
      'its own token is narrowed without client authentication',
      exchangeForm(anotherOwn, unguarded),
      { subjectToken: anotherOwn, actor: undefined },
    ],
    [
      "a user's token is delegated, its own token added",
      exchangeForm(userToken),
      { subjectToken: userToken, actor: { token: ownToken, tokenType: ACCESS_TOKEN } },
    ],
    [
      "a user's token with its own as actor goes as it is",
      exchangeForm(userToken, actor(anotherOwn)),
      { subjectToken: userToken, actor: { token: anotherOwn, tokenType: ACCESS_TOKEN } },
    ],
    [
      "a user's token with its own as actor, without client authentication",
      exchangeForm(userToken, { ...actor(anotherOwn), ...unguarded }),
      { subjectToken: userToken, actor: { token: anotherOwn } },
    ],
    [
      'its own token with its own as actor goes as it is',
      exchangeForm(anotherOwn, actor(ownToken)),
      { subjectToken: anotherOwn, actor: { token: ownToken } },
    ],
    [
      'a token that it holds for a user is narrowed',
      exchangeForm(heldToken),
      { subjectToken: heldToken, actor: undefined },
    ],
    ...[unheldToken, heldByAnother].map(
      (token, index) =>
        [
          `a token that only names its client is delegated (${String(index)})`,
          exchangeForm(token),
          { subjectToken: token, actor: { token: ownToken } },
        ] as const,
    ),
    [
      'a token that it holds for a user, without client authentication',
      exchangeForm(heldToken, unguarded),
      { subjectToken: heldToken, actor: undefined },
    ],
  ]
  test.each(sent)('%s', async (_name, form, expected) => {
    const answer = await postForm(broker, form)
    expect(answer.status).toBe(200)
    expect({ actor: undefined, ...broker.authority.asked.at(-1) }).toMatchObject(expected)
  })

  const refused: readonly (readonly [string, DropInForm, readonly unknown[]])[] = [
    [
      "a user's token without client authentication",
      exchangeForm(userToken, unguarded),
      [401, 'client_unproven'],
    ],
    [
      "a user's token with a client_id alone",
      exchangeForm(userToken, { client_secret: undefined }),
      [401, 'client_unproven'],
    ],
    [
      "a user's token with a secret alone",
      exchangeForm(userToken, { client_id: undefined }),
      [401, 'client_unproven'],
    ],
    [
      'a wrong secret beside its own token',
      exchangeForm(ownToken, { client_secret: 'x' }),
      [401, 'client_unproven'],
    ],
    ['an actor that is a user', exchangeForm(userToken, actor(userToken)), [400, 'actor_not_own']],
    [
      'an actor of another subject',
      exchangeForm(userToken, actor(tokenOf({ ...agentClaims, sub: 'agent:x' }))),
      [400, 'actor_not_own'],
    ],
    [
      'an actor of another client',
      exchangeForm(userToken, actor(tokenOf({ ...agentClaims, client_id: 'x' }))),
      [400, 'actor_not_own'],
    ],
    [
      'an actor of another issuer',
      exchangeForm(userToken, actor(tokenOf({ ...agentClaims, iss: 'https://x' }))),
      [400, 'actor_not_own'],
    ],
    [
      'an actor that it holds for a user',
      exchangeForm(userToken, actor(heldToken)),
      [400, 'actor_not_own'],
    ],
    ['an actor that is no JWT', exchangeForm(userToken, actor('opaque')), [400, 'actor_not_own']],
    [
      'its own token with another as actor',
      exchangeForm(ownToken, actor(userToken)),
      [400, 'actor_not_own'],
    ],
    ['a subject that is no JWT', exchangeForm('opaque'), [400, 'subject_foreign']],
    ['a subject without issuer', exchangeForm(tokenOf({ sub: 'x' })), [400, 'subject_foreign']],
    [
      'a proof of the platform',
      exchangeForm(tokenOf({ iss: 'https://cluster.example', sub: 'system:serviceaccount:a:b' }), {
        subject_token_type: JWT,
      }),
      [400, 'subject_foreign'],
    ],
    [
      'its own names under another issuer',
      exchangeForm(tokenOf({ ...agentClaims, iss: 'https://x' })),
      [400, 'subject_foreign'],
    ],
  ]
  test.each(refused)('refused: %s', async (_name, form, expected) => {
    expect(await codeOf(form)).toEqual(expected)
    // No more than the workload's own token was asked for.
    expect(
      broker.authority.asked.filter(({ subjectTokenType }) => subjectTokenType !== JWT),
    ).toEqual([])
  })
})
