import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { Random } from '../platform/random.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** The key does not open what it should, or what lies there was changed. */
export class SealFault extends OperatorFault {}

/** Encrypts what lies at rest: AES-256-GCM, with the name of the thing bound in, so that no two sealed things can be swapped. */
export class Seal {
  readonly #key: Buffer
  readonly #random: Random

  constructor(key: Buffer, random: Random) {
    if (key.length !== 32) throw new SealFault('the key must have 32 bytes')
    this.#key = key
    this.#random = random
  }

  /**
   * Makes a seal of the text of a key file: 32 bytes in base64.
   * @throws SealFault
   */
  static parse(text: string, random: Random): Seal {
    const trimmed = text.trim()
    const key = Buffer.from(trimmed, 'base64')
    if (key.length !== 32 || key.toString('base64') !== trimmed) {
      throw new SealFault(
        'the key file must hold 32 random bytes in base64, as `openssl rand -base64 32` writes them',
      )
    }
    return new Seal(key, random)
  }

  /** A key of its own for one use (RFC 5869), so that the key file is the only secret to keep. 32 bytes. */
  derive(use: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#key, '', `lumo-broker ${use}`, 32))
  }

  close(plain: Uint8Array, name: string): Buffer {
    const nonce = this.#random.bytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(name))
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
  }

  /** @throws SealFault */
  open(sealed: Uint8Array, name: string): Buffer {
    const bytes = Buffer.from(sealed)
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES))
      decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
      return Buffer.concat([
        decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)),
        decipher.final(),
      ])
    } catch {
      throw new SealFault(
        'a signing key cannot be decrypted: is this the key file it was stored with?',
      )
    }
  }
}
