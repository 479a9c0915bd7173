import { createHash } from 'node:crypto'
import type { Random } from '../../platform/random.ts'

/** LumoAuth's own prefix, by which scanners of secrets find a key that was published. */
const PREFIX = 'lmk_'
const ID_BYTES = 8
const SECRET_BYTES = 32
const form = /^lmk_([a-z0-9-]{1,63})\.([0-9a-f]{16})\.[A-Za-z0-9_-]{43}$/

/** What stands in a key in the clear. Believed of nothing but where to look the key up. */
export interface ApiKeyParts {
  /** Slug of its tenant. */
  readonly tenant: string
  readonly id: string
}

/** The parts of a key; undefined where it has another form. */
export function parseApiKey(text: string): ApiKeyParts | undefined {
  const [, tenant, id] = form.exec(text) ?? []
  return tenant === undefined || id === undefined ? undefined : { tenant, id }
}

/** A new key of a tenant: its text is for whoever will use it, its hash to be kept. */
export function newApiKey(
  tenant: string,
  random: Random,
): { readonly id: string; readonly text: string; readonly hash: Buffer } {
  const id = random.bytes(ID_BYTES).toString('hex')
  const text = `${PREFIX}${tenant}.${id}.${random.bytes(SECRET_BYTES).toString('base64url')}`
  return { id, text, hash: hashOfApiKey(text) }
}

/** SHA-256 of the whole key. With 256 random bits in it there is nothing to guess, and nothing that a slow hash would save. */
export function hashOfApiKey(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** What a registration says of it, wherever it stands. */
export interface KeyHolder {
  readonly grantTypes: readonly string[]
  readonly dpopBound: boolean
}

/** Whether a client may have keys: they get what a token of its own would, so it must be one that can have such a token. */
export function mayHaveApiKeys({ grantTypes, dpopBound }: KeyHolder): boolean {
  // Whoever may use tokens only with a proof of a key of theirs must not get round that by a key which needs no proof.
  return grantTypes.includes('client_credentials') && !dpopBound
}
