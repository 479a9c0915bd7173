/** A signing key as it lies in the store. The private part is sealed; the store never sees it open. Times in Unix seconds. */
export interface SigningKeyRecord {
  readonly tenant: string
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string
  readonly algorithm: string
  readonly sealedPrivateKey: Uint8Array
  readonly createdAt: number
  /** Published from the start; signs from here on, once nobody can hold a key set without it. */
  readonly signsFrom: number
  /** Signs no more from here on; published until the last token that it signed has expired. */
  readonly retiredAt: number | undefined
}

/** A client that was registered at run time. */
export interface ClientRecord {
  readonly tenant: string
  readonly id: string
  /** Its registration as JSON, in the shape of the configuration, without secrets. */
  readonly registration: string
  /** SHA-256 of its secrets, the newest first; at most two. */
  readonly secretHashes: readonly Uint8Array[]
  readonly createdAt: number
}

/** An authorization code, by its hash. */
export interface CodeRecord {
  readonly tenant: string
  /** SHA-256 of the code. */
  readonly hash: Uint8Array
  /** Of everything that will be made of it. */
  readonly grantId: string
  readonly clientId: string
  /** Whose it is. */
  readonly sub: string
  /** What it was issued for, as JSON. */
  readonly grant: string
  readonly expiresAt: number
  readonly consumed: boolean
}

/**
 * A family of refresh tokens: all that followed on one another since one grant. One row, however often it is rotated: old
 * tokens are known by their own form, not by a memory of each.
 */
export interface RefreshFamily {
  readonly tenant: string
  /** Also the `grant_id` of its access tokens. */
  readonly id: string
  readonly clientId: string
  readonly sub: string
  /** What was granted, as JSON. */
  readonly grant: string
  readonly createdAt: number
  readonly expiresAt: number
  /** Counts rotations, from 0. */
  readonly generation: number
  /** SHA-256 of the secret that can be rotated now. */
  readonly currentHash: Uint8Array
  /** SHA-256 of the one before it. */
  readonly previousHash: Uint8Array | undefined
  /** When the last rotations were, oldest first, in Unix milliseconds. */
  readonly rotatedAt: readonly number[]
}

/**
 * What a revocation names. `subject` reaches actors of a chain too, `client` the clients of actors; `pair` is what a client has
 * of a subject, itself or as an actor.
 */
export type RevocationKind = 'jti' | 'grant' | 'subject' | 'client' | 'pair' | 'tenant'

/** Tokens that were issued up to a moment are no longer good. Times in Unix seconds. */
export interface RevocationRecord {
  readonly tenant: string
  readonly kind: RevocationKind
  /** Empty for a whole tenant. */
  readonly value: string
  /** What was issued at this second or before is revoked. */
  readonly notBefore: number
  /** When the last token that it can touch has expired. */
  readonly expiresAt: number
}

/** What is known of a token or a family, to look its revocation up. */
export interface RevocationQuestion {
  readonly tenant: string
  /** Its own, and of all that it is derived from. */
  readonly jtis: readonly string[]
  readonly grantId: string
  readonly subjects: readonly string[]
  readonly clients: readonly string[]
  /** Of the subject with each of the clients. */
  readonly pairs: readonly string[]
  /** Unix seconds. */
  readonly issuedAt: number
}

/** A user has allowed an agent to act for them. */
export interface UserGrant {
  readonly tenant: string
  readonly user: string
  /** `client_id` of the agent. */
  readonly agent: string
  readonly scopes: readonly string[]
  readonly createdAt: number
}

/** So long after it could have been answered an approval is still known: whoever waits for it is told what became of it. */
export const APPROVAL_KEPT_SECONDS = 3_600

/** `expired`: nobody answered in time. */
export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired'

/** An agent has asked for what a user could allow it. */
export interface Approval {
  readonly tenant: string
  readonly id: string
  readonly user: string
  /** `client_id` of the agent. */
  readonly agent: string
  readonly scopes: readonly string[]
  /** Clients through whose hands the user's token came to the agent, the first one first. */
  readonly chain: readonly string[]
  readonly status: ApprovalStatus
  readonly createdAt: number
  readonly expiresAt: number
}

/** A user whom this authority itself signs in. */
export interface LocalUser {
  readonly tenant: string
  readonly sub: string
  /** In small letters; each once in a tenant. */
  readonly email: string
  readonly name: string | undefined
  /** A PHC string. */
  readonly password: string
  readonly createdAt: number
}

/** A user whom another OpenID Provider signs in. */
export interface UpstreamUser {
  readonly tenant: string
  /** Issuer of that provider. */
  readonly issuer: string
  /** `sub` there. */
  readonly subject: string
  /** `sub` here. */
  readonly sub: string
  readonly email: string | undefined
  /** Whether the provider says so. */
  readonly emailVerified: boolean
  readonly name: string | undefined
  readonly createdAt: number
}

/** Somebody who was sent to another OpenID Provider, and has not come back. */
export interface UpstreamVisit {
  readonly tenant: string
  /** SHA-256 of `state`. */
  readonly hash: Uint8Array
  /** Name of the provider. */
  readonly upstream: string
  /** SHA-256 of what the browser holds. */
  readonly browser: Uint8Array
  /** Where they go on from there. */
  readonly next: string
  readonly expiresAt: number
}

/** An authorization request that a client pushed (RFC 9126). */
export interface PushedRequest {
  readonly tenant: string
  /** SHA-256 of the random part of its `request_uri`. */
  readonly hash: Uint8Array
  readonly clientId: string
  /** Its parameters, form-encoded. */
  readonly query: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** A key by which a client asks for permissions. */
export interface ApiKeyRecord {
  readonly tenant: string
  readonly id: string
  readonly clientId: string
  /** SHA-256 of the key. */
  readonly hash: Uint8Array
  /** What the operator calls it. */
  readonly name: string
  readonly createdAt: number
  /** Undefined: it does not expire. */
  readonly expiresAt: number | undefined
}

/** Somebody who is signed in. */
export interface SessionRecord {
  readonly tenant: string
  /** SHA-256 of what the browser holds. */
  readonly hash: Uint8Array
  readonly user: string
  /** When they showed who they are; Unix seconds. */
  readonly authTime: number
  /** Hash of the pushed request for which they did, if it was for one. */
  readonly request: Uint8Array | undefined
  readonly expiresAt: number
}

/** What a user agreed to that a client may have. */
export interface ConsentRecord {
  readonly tenant: string
  readonly user: string
  readonly client: string
  /**
   * Scopes by target. What was agreed to at one is not agreed to at another; what was agreed to at none in particular, under the
   * empty name, is good wherever the client may use it.
   */
  readonly given: Readonly<Record<string, readonly string[]>>
  readonly createdAt: number
}

/** Something that may be shown once: the `jti` of a client assertion or of a DPoP proof. */
export interface Once {
  readonly tenant: string
  /** Whose: `assertion` and a client, `dpop` and a key. */
  readonly owner: string
  readonly jti: string
  /** Unix seconds. */
  readonly expiresAt: number
}

/** The last good key set of an issuer, for when it cannot be reached after a restart. */
export interface KeptKeySetRecord {
  readonly tenant: string
  /** Whose it is, and where it was fetched. */
  readonly name: string
  /** The set. Its keys are public, but whoever could plant one would be believed: the store never sees it open. */
  readonly sealed: Uint8Array
  /** Unix seconds. */
  readonly fetchedAt: number
}

/** Whether what is wanted is part of what there is. */
export function isCovered(wanted: readonly string[], there: readonly string[]): boolean {
  return wanted.every((each) => there.includes(each))
}
