import type { ListenAddress } from '../platform/listen.ts'
import type { AuthorizationConfig } from './authorization.ts'
import type { AuditConfig, LimitsConfig } from './bounds.ts'
import type { ClientConfig } from './client.ts'
import type { Scope } from '../oauth/scope.ts'
import type { ProviderConfig, TokenProviderConfig } from './provider/config.ts'
import type { ProxyConfig } from './proxy.ts'
import type { TlsFiles } from './tls.ts'
import type { UpstreamConfig } from './upstream.ts'
import type { UserConfig } from './user.ts'
import type { WebhookConfig } from './webhook.ts'

/** What the program runs on: resolved, agreeing with itself, frozen. Made by `load.ts` only. */
export interface Config {
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error'
    readonly format: 'auto' | 'json' | 'pretty'
  }
  readonly operations: { readonly listen: ListenAddress }
  readonly authority: AuthorityConfig | undefined
  readonly broker: BrokerConfig | undefined
  readonly webhook: WebhookConfig | undefined
}

export interface AuthorityConfig {
  readonly listen: ListenAddress
  /** Without a trailing slash. */
  readonly origin: string
  readonly tls: TlsFiles | undefined
  readonly storeFile: string
  readonly keyEncryption: KeyEncryptionConfig
  readonly clockOffsetMs: number
  readonly drainDelayMs: number
  /** Addresses and networks. */
  readonly trustedProxies: readonly string[]
  readonly limits: LimitsConfig
  readonly audit: AuditConfig
  readonly tenants: readonly TenantConfig[]
}

/** Where the key lies that encrypts signing keys at rest. */
export type KeyEncryptionConfig =
  | { readonly in: 'file'; readonly file: string }
  | { readonly in: 'secret'; readonly namespace: string; readonly name: string }

export interface TenantConfig {
  readonly slug: string
  readonly issuer: string
  /** The one tenant whose issuer is the bare origin. */
  readonly atOrigin: boolean
  readonly algorithm: 'RS256' | 'ES256' | 'PS256' | 'EdDSA'
  readonly policy: string | undefined
  readonly providers: readonly ProviderConfig[]
  readonly clients: readonly ClientConfig[]
  /** A file with more of them, or a folder of such; followed. */
  readonly clientFiles: string | undefined
  /** A file with roles, or a folder of such; followed. */
  readonly roles: string | undefined
  readonly users: readonly UserConfig[]
  /** Whether local users sign in with a password. */
  readonly passwords: boolean
  /** Other OpenID Providers that sign people in. */
  readonly upstreams: readonly UpstreamConfig[]
  /** Origins whose pages may sign people in. */
  readonly trustedOrigins: readonly string[]
  readonly codeLifetimeSeconds: number
  readonly maxDelegationDepth: number
  readonly capabilitiesInTokens: boolean
  readonly workloadRefusal: 'invalid_request' | 'workload_identity_failed'
  readonly dpopNonceRequired: boolean
}

export interface BrokerConfig {
  readonly listen: readonly ListenAddress[]
  readonly tls: TlsFiles | undefined
  readonly hosts: readonly string[]
  readonly tenant: string
  /** Of the tenant, as far as its path tells. */
  readonly issuer: string
  /** Absent: the authority of this process. */
  readonly remote: RemoteAuthorityConfig | undefined
  readonly proof: ProofConfig
  readonly proofAudience: string
  readonly dropIn: DropInConfig
  /** A file, or a folder of them. */
  readonly policy: string | undefined
  /** What would lie in such a file; not parsed yet. */
  readonly policyDocument: object | undefined
  readonly limits: {
    readonly exchangesPerMinute: number
    readonly audiencesPerHour: number
    readonly actDepth: number
    readonly subjectsAtOnce: number
    readonly exchangesPerSubjectPerMinute: number
  }
  readonly sinks: readonly SinkConfig[]
  /** Absent: off. */
  readonly proxy: ProxyConfig | undefined
  /** Absent: off. */
  readonly authorization: AuthorizationConfig | undefined
  readonly rateLimit: { readonly perSecond: number; readonly burst: number }
  readonly delegation: { readonly maxSessions: number; readonly sessionIdleMs: number }
  readonly maxEntries: number
  readonly shutdown: {
    readonly drainDelayMs: number
    readonly graceMs: number
    readonly revoke: boolean
  }
  readonly terminationMessageFile: string
}

export type ProofConfig =
  { readonly from: 'file'; readonly file: string } | AwsProofConfig | CallersConfig

/** Every caller shows a token of its own. */
export interface CallersConfig {
  readonly from: 'caller'
  /** Absent: those of the tenant, whose authority runs in this process. */
  readonly providers: readonly (TokenProviderConfig & { readonly kind: 'kubernetes' })[] | undefined
  readonly maxWorkloads: number
}

/** What a client of the drop-in routes shows as its secret. */
export type DropInConfig =
  | { readonly guard: 'secret'; readonly secret: string }
  | { readonly guard: 'file'; readonly file: string }
  | { readonly guard: 'caller' | 'none' | 'off' }

export interface SinkConfig {
  readonly file: string
  readonly format: 'token' | 'header' | 'json'
  readonly mode: number
  readonly group: number | undefined
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: Scope | undefined
  readonly agent: string | undefined
}

export interface AwsProofConfig {
  readonly from: 'aws'
  readonly form: 'web-identity' | 'signed-request'
  readonly region: string
  readonly signingAlgorithm: 'RS256' | 'ES384'
  /** An origin. */
  readonly stsUrl: URL
}

export interface RemoteAuthorityConfig {
  readonly origin: URL
  readonly tokenUrl: URL
  readonly caFile: string | undefined
  /** PEM. */
  readonly ca: string | undefined
  readonly connectTimeoutMs: number
  readonly totalTimeoutMs: number
}
