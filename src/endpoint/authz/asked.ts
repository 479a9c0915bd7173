import { actorsOf } from '../../oauth/act.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Subject } from '../../policy/permissions/engine.ts'
import type { AccessToken } from '../access_token.ts'
import type { Tenant } from '../tenant.ts'

/** Who asks: by an access token, or by an API key, which counts as a token of its client's own. */
export type Asker = Pick<AccessToken, 'sub' | 'act' | 'clientId' | 'audiences'>

/** Whom a question is about. */
export interface Asked {
  /**
   * Who all need a permission for it to be allowed: the subject, and everybody who acts for it. `nobody`: a user who is kept out,
   * to whom nothing is permitted whatever the roles say.
   */
  readonly subjects: readonly Subject[] | 'nobody'
  /** Of the user, where it is one. */
  readonly userId: string | undefined
}

/**
 * Whom a question of this asker is about: its subject, and where others act for that one, each of them too. An agent must
 * not gain by a user who may more, nor may a user lend what they do not have.
 */
export async function askedAbout(
  { sub, act }: Asker,
  userId: string | undefined,
  tenant: Tenant,
): Promise<Asked | OAuthError> {
  const own = await subjectOf(sub, tenant)
  if (!own) return new OAuthError('bearer_invalid', { reason: 'token_orphaned' })
  if (userId === undefined || userId === sub) {
    const actors = await Promise.all(actorsOf(act).map((actor) => subjectOf(actor.sub, tenant)))
    if (!actors.every((actor) => actor !== undefined)) {
      return new OAuthError('bearer_invalid', { reason: 'token_orphaned' })
    }
    return { subjects: [own, ...actors], userId: own.kind === 'user' ? own.id : undefined }
  }
  const client = own.kind === 'client' && !act ? await tenant.clients.find(own.id) : undefined
  if (!client?.mayCheckUsers) return new OAuthError('user_not_askable')
  const isOut = await tenant.users.isKeptOut(userId)
  return { subjects: isOut ? 'nobody' : [{ kind: 'user', id: userId }], userId }
}

/** Ids of users, clients and agents are each somebody's and nobody else's within a tenant. */
async function subjectOf(sub: string, tenant: Tenant): Promise<Subject | undefined> {
  const agent = tenant.policy().ofSubject(sub)
  if (agent) return { kind: 'agent', id: agent.name }
  if (await tenant.users.active(sub)) return { kind: 'user', id: sub }
  return (await tenant.clients.find(sub)) ? { kind: 'client', id: sub } : undefined
}
