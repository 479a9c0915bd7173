/** Whom a question is about: a user by `sub`, a client by `client_id`, an agent by its name in the trust policy. */
export interface Subject {
  readonly kind: 'user' | 'client' | 'agent'
  readonly id: string
}

/** A permission that somebody has, and what gives it. */
export interface HeldPermission {
  readonly slug: string
  readonly description: string | undefined
  /** Such as `role:Editor`. */
  readonly source: string
}

/**
 * Decides who may do what. All that asks stands behind this, so that relations or attributes can decide instead of roles.
 * A permission that nobody defined is one that nobody has.
 */
export interface PermissionEngine {
  /** Whether the subject has each of the permissions, in their order. */
  check(
    subject: Subject,
    permissions: readonly string[],
    context: Readonly<Record<string, unknown>>,
  ): Promise<readonly boolean[]>
  /** All that the subject has, by slug; each once, by the first of its sources. */
  permissionsOf(subject: Subject): Promise<readonly HeldPermission[]>
}
