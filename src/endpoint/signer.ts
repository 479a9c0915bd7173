import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
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
import type { SigningKeyRecord, Store } from '../store/store.ts'
import type { Seal } from './sealing.ts'

/** A tenant's signing key at work. */
export interface Signer {
  readonly algorithm: string
  /** The public keys, as `jwks_uri` shows them. */
  readonly jwks: { readonly keys: readonly JWK[] }
  sign(claims: JWTPayload, typ: 'at+jwt'): Promise<string>
}

interface SignerDependencies {
  readonly store: Store
  readonly seal: Seal
  readonly clock: Clock
}

/**
 * Opens the signing keys of a tenant; the first start makes one. A first key signs at once: nobody can hold an older key
 * set of this tenant.
 * @throws StoreFault, SealFault
 */
export async function openSigner(
  tenant: string,
  algorithm: string,
  dependencies: SignerDependencies,
): Promise<Signer> {
  const { store, seal } = dependencies
  const known = await store.signingKeys(tenant)
  const records =
    known.length > 0
      ? known
      : await store.keepFirstSigningKey(await makeKey(tenant, algorithm, dependencies))
  const current = records.findLast((record) => record.algorithm === algorithm)
  if (!current) {
    throw new SigningKeyFault(
      `tenant ${tenant} has no ${algorithm} signing key: its keys are ${records.map((record) => record.algorithm).join(', ')}`,
    )
  }
  const key = openKey(current, seal)
  return {
    algorithm,
    jwks: { keys: await Promise.all(records.map((record) => publicJwkOf(record, seal))) },
    sign: (claims, typ) =>
      new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ, kid: current.kid }).sign(key),
  }
}

/** The stored keys are not those that the configuration asks for. */
export class SigningKeyFault extends OperatorFault {}

async function makeKey(
  tenant: string,
  algorithm: string,
  { seal, clock }: SignerDependencies,
): Promise<SigningKeyRecord> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  const pkcs8 = await exportPKCS8(privateKey)
  return {
    tenant,
    kid,
    algorithm,
    sealedPrivateKey: seal.close(Buffer.from(pkcs8), sealName(tenant, kid)),
    createdAt: unixSeconds(clock),
  }
}

/**
 * Derived from the sealed key, never read from the store: whoever can write there could else have a key of their own
 * published as the tenant's.
 */
async function publicJwkOf(record: SigningKeyRecord, seal: Seal): Promise<JWK> {
  const jwk = await exportJWK(createPublicKey(openKey(record, seal)))
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: record.algorithm }
}

function openKey({ tenant, kid, sealedPrivateKey }: SigningKeyRecord, seal: Seal): KeyObject {
  return createPrivateKey(seal.open(sealedPrivateKey, sealName(tenant, kid)).toString('utf8'))
}

function sealName(tenant: string, kid: string): string {
  return `signing key ${kid} of ${tenant}`
}
