import { OperatorFault } from '../platform/operator_fault.ts'

/** A signing key as it lies in the store. The private part is sealed; the store never sees it open. */
export interface SigningKeyRecord {
  readonly tenant: string
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string
  readonly algorithm: string
  readonly sealedPrivateKey: Uint8Array
  /** Unix seconds. */
  readonly createdAt: number
}

/** The store did not answer. Nothing was written. */
export class StoreFault extends OperatorFault {}

/**
 * What must survive. Verbs are atomic, each a whole decision, so that no two processes can each do half of one.
 * Every verb rejects with StoreFault when the store is out.
 */
export interface Store {
  /** The keys of a tenant, oldest first. */
  signingKeys(tenant: string): Promise<readonly SigningKeyRecord[]>
  /**
   * Keeps a first signing key where the tenant has none, and answers with the keys that it then has: of two processes that
   * start at once one is the first, and both sign with its key.
   */
  keepFirstSigningKey(record: SigningKeyRecord): Promise<readonly SigningKeyRecord[]>
  close(): Promise<void>
}
