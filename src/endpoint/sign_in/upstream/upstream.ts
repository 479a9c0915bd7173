import type { UpstreamConfig } from '../../../config/upstream.ts'
import type { UpstreamIdentity } from './claims.ts'
import type { UpstreamRefusal } from './refusal.ts'

/** What binds the answer of a provider to what was asked of it. */
export interface Binding {
  readonly state: string
  readonly nonce: string
  /** RFC 7636. */
  readonly verifier: string
  readonly redirectUri: string
}

/** Another OpenID Provider that signs people in. */
export interface Upstream {
  readonly config: UpstreamConfig
  /** Where the browser is sent. `prompt`: as the client of ours asked. */
  authorizationUrl(binding: Binding, prompt: string | undefined): Promise<URL | UpstreamRefusal>
  /** Whom it signed in. `query`: of the address to which it sent the browser back. */
  identify(query: string, binding: Binding): Promise<UpstreamIdentity | UpstreamRefusal>
}
