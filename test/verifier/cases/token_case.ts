import type { RefusalCode } from '../../../src/verifier/refusal.ts'
import { FakeClock } from '../../fakes/clock.ts'
import type { Claims, Issued } from '../../fakes/token_issuer.ts'

export type Outcome = 'accepted' | 'cannot_verify' | RefusalCode

/** Keys that sign beside that of the issuer. All but the stranger's are published by every issuer, under this name. */
export type KeyName =
  | 'stranger'
  | 'rsa1024'
  | 'rsa2048'
  | 'p256'
  | 'p384'
  | 'ed25519'
  | 'p384_as_es256'
  | 'rsa_as_ps256'
  | 'rsa_for_encryption'
  /** Of the issuer of another AWS account. */
  | 'other_account'

/** What is changed on a good token, on the settings of its provider, and on the clock between the two. */
export interface Changes extends Omit<Issued, 'key'> {
  readonly signedBy?: KeyName
  /** Seconds by which the clock of the authority is ahead of that of the issuer. */
  readonly ahead?: number
  /** Settings of the provider, as an operator writes them. */
  readonly provider?: Claims
}

export type Case = readonly [name: string, changes: Changes, outcome: Outcome]

/** Unix seconds of the moment at which every token is made. */
export const NOW = new FakeClock().now
export const DAY = 86_400

/** The audience of a tenant: its issuer. */
export const AUDIENCE = 'https://auth.example/t/acme-corp/api/v1'

export const claims = (changes: Claims): Changes => ({ claims: changes })
export const nested = (changes: Claims): Changes => ({ nested: changes })
export const header = (changes: Claims): Changes => ({ header: changes })
export const provider = (settings: Claims): Changes => ({ provider: settings })

/** The wrong forms of a member, each under its name. */
export function forms(
  name: string,
  wrap: (value: unknown) => Changes,
  outcomes: readonly (readonly [form: string, value: unknown, outcome: Outcome])[],
): readonly Case[] {
  return outcomes.map(([form, value, outcome]) => [`${name} ${form}`, wrap(value), outcome])
}

export const claim =
  (name: string) =>
  (value: unknown): Changes => ({ claims: { [name]: value } })

export const member =
  (name: string) =>
  (value: unknown): Changes => ({ nested: { [name]: value } })

export const noTime = [
  ['null', null, 'claim_malformed'],
  ['a text', String(NOW), 'claim_malformed'],
  ['with a fraction', NOW + 0.5, 'claim_malformed'],
  ['negative', -1, 'claim_malformed'],
  ['beyond whole numbers', 1e300, 'claim_malformed'],
  ['a list', [NOW], 'claim_malformed'],
] as const
