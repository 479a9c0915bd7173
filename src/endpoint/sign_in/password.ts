import { timingSafeEqual } from 'node:crypto'
import type { Random } from '../../platform/random.ts'
import { PasswordThread } from './password_thread.ts'

/** RFC 9106; the cost is OWASP's first choice: 19 MiB, two passes, one lane. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const
const SALT_BYTES = 16
const TAG_BYTES = 32
/** One takes some tens of milliseconds: who is behind so many would wait for longer than a person does. */
const MAX_PENDING = 40
/** Far more than anybody types, and no work for a flood. */
export const MAX_PASSWORD_LENGTH = 256

/** A PHC string: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`, both in base64 without padding. */
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86})$/

interface Parts {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly salt: Buffer
  readonly tag: Buffer
}

/** Whether one was right; `busy`: too many wait. */
export type Verdict = 'right' | 'wrong' | 'busy'

/** Passwords of local users, as argon2id in PHC strings. Never on the event loop, and one at a time. */
export class Passwords {
  readonly #random: Random
  readonly #thread = new PasswordThread()
  #decoy: Promise<string> | undefined

  constructor(random: Random) {
    this.#random = random
  }

  /** The PHC string to keep. */
  async hash(password: string): Promise<string> {
    const salt = this.#random.bytes(SALT_BYTES)
    const tag = await this.#derive(password, { ...COST, salt }, TAG_BYTES)
    const { memory, passes, parallelism } = COST
    const cost = `m=${String(memory)},t=${String(passes)},p=${String(parallelism)}`
    return `$argon2id$v=19$${cost}$${text(salt)}$${text(tag)}`
  }

  /**
   * Compares one with what is kept. `kept` undefined: there is no such user, for whom the same work is done, so that the
   * time tells nothing.
   */
  async verify(password: string, kept: string | undefined): Promise<Verdict> {
    if (this.#thread.pending >= MAX_PENDING) return 'busy'
    this.#decoy ??= this.hash(this.#random.bytes(SALT_BYTES).toString('hex'))
    const parts = parse(kept ?? (await this.#decoy))
    if (!parts) return 'wrong'
    const tag = await this.#derive(password, parts, parts.tag.length)
    return timingSafeEqual(tag, parts.tag) && kept !== undefined ? 'right' : 'wrong'
  }

  #derive(
    password: string,
    { memory, passes, parallelism, salt }: Omit<Parts, 'tag'>,
    tagLength: number,
  ): Promise<Buffer> {
    // What two keyboards write differently is one password (RFC 8265 section 4.2).
    const message = new TextEncoder().encode(password.normalize('NFC'))
    return this.#thread.derive({ message, nonce: salt, memory, passes, parallelism, tagLength })
  }
}

function parse(phc: string): Parts | undefined {
  const [, memory, passes, parallelism, salt = '', tag = ''] = PHC.exec(phc) ?? []
  if (memory === undefined) return undefined
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}

function text(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
