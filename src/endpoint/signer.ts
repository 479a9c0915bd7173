import { createPublicKey, createPrivateKey, type KeyObject } from 'node:crypto'
import {
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  SignJWT,
  type JWK,
  type JWTPayload,
} from 'jose'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { SigningKeyRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { MAX_TOKEN_SECONDS } from './revocations.ts'
import type { Seal } from './sealing.ts'

/** How long a new key is published before it signs: longer than anybody may keep our key set (`max-age=300`). */
export const PUBLISHED_BEFORE_SECONDS = 360

/** Types of what we sign: access tokens (RFC 9068) and ID tokens. */
export type SignedType = 'at+jwt' | 'JWT'

/** A tenant's signing keys at work. */
export interface Signer {
  /** Of the key that signs now. */
  algorithm(): string
  /** Of every key that is published. */
  algorithms(): readonly string[]
  /** The public keys, as `jwks_uri` shows them. */
  jwks(): { readonly keys: readonly JWK[] }
  sign(claims: JWTPayload, typ: SignedType): Promise<string>
  /** A published key, for a token that says it was signed with it. */
  verificationKey(kid: string, algorithm: string): KeyObject | undefined
  /** Takes up what another process, or a command, did to the keys. */
  look(): Promise<void>
}

interface SignerDependencies {
  readonly store: Pick<Store, 'signingKeys' | 'keepFirstSigningKey'>
  readonly seal: Seal
  readonly clock: Clock
}

interface OpenKey {
  readonly record: SigningKeyRecord
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: JWK
}

/** The stored keys are not those that the configuration asks for. */
export class SigningKeyFault extends OperatorFault {}

/**
 * Opens the signing keys of a tenant; the first start makes one. A first key signs at once: nobody can hold an older key
 * set of this tenant.
 * @throws StoreFault, SealFault, SigningKeyFault
 */
export async function openSigner(
  tenant: string,
  algorithm: string,
  dependencies: SignerDependencies,
): Promise<Signer> {
  const { store, seal, clock } = dependencies
  const known = await store.signingKeys(tenant)
  const records =
    known.length > 0
      ? known
      : await store.keepFirstSigningKey(
          await makeSigningKey(tenant, algorithm, unixSeconds(clock), dependencies),
        )
  if (!records.some((record) => record.algorithm === algorithm)) {
    throw new SigningKeyFault(
      `tenant ${tenant} has no ${algorithm} signing key: its keys are ${records.map((record) => record.algorithm).join(', ')}; lumo-broker keys rotate makes one`,
    )
  }
  const ring = new KeyRing(tenant, dependencies)
  await ring.take(records, seal)
  return ring
}

/**
 * Which key signs and which are published follows from the records and the clock alone, so that processes over one store
 * agree without talking to each other.
 */
class KeyRing implements Signer {
  readonly #tenant: string
  readonly #dependencies: SignerDependencies
  #keys: ReadonlyMap<string, OpenKey> = new Map()

  constructor(tenant: string, dependencies: SignerDependencies) {
    this.#tenant = tenant
    this.#dependencies = dependencies
  }

  algorithm(): string {
    return this.#current().record.algorithm
  }

  algorithms(): readonly string[] {
    return [...new Set(this.#published().map(({ record }) => record.algorithm))]
  }

  jwks(): { readonly keys: readonly JWK[] } {
    return { keys: this.#published().map(({ jwk }) => jwk) }
  }

  sign(claims: JWTPayload, typ: SignedType): Promise<string> {
    const { record, privateKey } = this.#current()
    return new SignJWT(claims)
      .setProtectedHeader({ alg: record.algorithm, typ, kid: record.kid })
      .sign(privateKey)
  }

  verificationKey(kid: string, algorithm: string): KeyObject | undefined {
    const key = this.#keys.get(kid)
    return key?.record.algorithm === algorithm && isPublished(key.record, this.#now())
      ? key.publicKey
      : undefined
  }

  async look(): Promise<void> {
    const { store, seal } = this.#dependencies
    await this.take(await store.signingKeys(this.#tenant), seal)
  }

  async take(records: readonly SigningKeyRecord[], seal: Seal): Promise<void> {
    const keys = new Map<string, OpenKey>()
    for (const record of records) {
      const known = this.#keys.get(record.kid)
      keys.set(record.kid, known ? { ...known, record } : await openKey(record, seal))
    }
    this.#keys = keys
  }

  #current(): OpenKey {
    const now = this.#now()
    const unretired = [...this.#keys.values()]
      .filter(({ record }) => record.retiredAt === undefined || now < record.retiredAt)
      .toSorted((a, b) => a.record.signsFrom - b.record.signsFrom)
    const begun = unretired.filter(({ record }) => record.signsFrom <= now)
    // A clock that was set back makes the oldest key one of tomorrow, which is no reason to sign with none.
    const signing = begun.at(-1) ?? unretired[0]
    if (!signing) throw new SigningKeyFault(`tenant ${this.#tenant} has no key that signs`)
    return signing
  }

  #published(): readonly OpenKey[] {
    return [...this.#keys.values()].filter(({ record }) => isPublished(record, this.#now()))
  }

  #now(): number {
    return unixSeconds(this.#dependencies.clock)
  }
}

/** Whether a key may sign at a moment, in Unix seconds. */
export function signs({ signsFrom, retiredAt }: SigningKeyRecord, now: number): boolean {
  return signsFrom <= now && (retiredAt === undefined || now < retiredAt)
}

/** Until the last token that it signed has expired. */
export function isPublished({ retiredAt }: SigningKeyRecord, now: number): boolean {
  return retiredAt === undefined || now < retiredAt + MAX_TOKEN_SECONDS
}

/** Makes a key that signs from a moment on, in Unix seconds. */
export async function makeSigningKey(
  tenant: string,
  algorithm: string,
  signsFrom: number,
  { seal, clock }: Pick<SignerDependencies, 'seal' | 'clock'>,
): Promise<SigningKeyRecord> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey))
  const pkcs8 = await exportPKCS8(privateKey)
  return {
    tenant,
    kid,
    algorithm,
    sealedPrivateKey: seal.close(Buffer.from(pkcs8), sealName(tenant, kid)),
    createdAt: unixSeconds(clock),
    signsFrom,
    retiredAt: undefined,
  }
}

/** @throws SealFault when it was sealed with another key file, or changed since */
export function openSigningKey(
  { tenant, kid, sealedPrivateKey }: SigningKeyRecord,
  seal: Seal,
): KeyObject {
  return createPrivateKey(seal.open(sealedPrivateKey, sealName(tenant, kid)).toString('utf8'))
}

/**
 * The public key is derived from the sealed one, never read from the store: whoever can write there could else have a key of
 * their own published as the tenant's.
 */
async function openKey(record: SigningKeyRecord, seal: Seal): Promise<OpenKey> {
  const { algorithm } = record
  const privateKey = openSigningKey(record, seal)
  const publicKey = createPublicKey(privateKey)
  const exported = await exportJWK(publicKey)
  const jwk = {
    ...exported,
    kid: await calculateJwkThumbprint(exported),
    use: 'sig',
    alg: algorithm,
  }
  return { record, privateKey, publicKey, jwk }
}

function sealName(tenant: string, kid: string): string {
  return `signing key ${kid} of ${tenant}`
}
