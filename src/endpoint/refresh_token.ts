import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Scope } from '../oauth/scope.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { RotationOutcome } from '../store/rotation.ts'
import type { RefreshFamily } from '../store/records.ts'
import type { Store } from '../store/store.ts'

/** How long an old token still gets the successor that was made of it: an answer can be lost on the way. */
export const GRACE_MS = 10_000

const FAMILY_BYTES = 16
const GENERATION_BYTES = 4
const TAG_BYTES = 16
const ID_BYTES = FAMILY_BYTES + GENERATION_BYTES + TAG_BYTES
const SECRET_BYTES = 32
const form = /^([A-Za-z0-9_-]{48})\.([A-Za-z0-9_-]{43})$/

/** What was granted once and is inherited by every token of a family. */
export interface RefreshGrant {
  readonly scope: Scope
  readonly targets: readonly string[]
  readonly authTime: number
  /** Key of a public client (RFC 9449 section 5). */
  readonly jkt: string | undefined
}

/** A refresh token whose form only this server can have made. Whether its secret is the right one, the store decides. */
export interface PresentedRefreshToken {
  readonly family: string
  readonly generation: number
  readonly secret: Buffer
}

interface RefreshTokensDependencies {
  readonly tenant: string
  /** Of 32 bytes; not in the store. */
  readonly key: Buffer
  readonly store: Pick<Store, 'keepFamily' | 'family' | 'rotateRefresh'>
  readonly clock: Clock
  readonly random: Random
}

/**
 * Refresh tokens `id.secret`. The id holds family and generation under a MAC that covers the secret too, so that an old
 * token is known as ours without a memory of each, and nobody can make one up to have a family revoked. The successor's secret is an HMAC over the secret
 * before it: who holds the old token can have the same successor made again, inside the grace window, and a stolen store,
 * which has only hashes, gives neither away.
 */
export class RefreshTokens {
  readonly #dependencies: RefreshTokensDependencies

  constructor(dependencies: RefreshTokensDependencies) {
    this.#dependencies = dependencies
  }

  /** Begins a family. Its id is the `grant_id`. */
  async start(
    grantId: string,
    owner: { readonly clientId: string; readonly sub: string; readonly lifetimeSeconds: number },
    grant: RefreshGrant,
  ): Promise<string> {
    const { tenant, store, clock, random } = this.#dependencies
    const secret = random.bytes(SECRET_BYTES)
    const createdAt = unixSeconds(clock)
    await store.keepFamily({
      tenant,
      id: grantId,
      clientId: owner.clientId,
      sub: owner.sub,
      grant: JSON.stringify(grant),
      createdAt,
      expiresAt: createdAt + owner.lifetimeSeconds,
      generation: 0,
      currentHash: hashOf(secret),
      previousHash: undefined,
      rotatedAt: [],
    })
    return this.#show(grantId, 0, secret)
  }

  /** Undefined for whatever this server did not make. */
  parse(text: string): PresentedRefreshToken | undefined {
    const [, idText, secretText] = form.exec(text) ?? []
    if (idText === undefined || secretText === undefined) return undefined
    const id = Buffer.from(idText, 'base64url')
    const secret = Buffer.from(secretText, 'base64url')
    // One text per token: bits left over in a last character would make a second spelling.
    if (secret.toString('base64url') !== secretText) return undefined
    const body = id.subarray(0, FAMILY_BYTES + GENERATION_BYTES)
    if (!timingSafeEqual(id.subarray(-TAG_BYTES), this.#tag(body, secret))) return undefined
    return {
      family: showUuid(body.subarray(0, FAMILY_BYTES)),
      generation: body.readUInt32BE(FAMILY_BYTES),
      secret,
    }
  }

  find({ family }: PresentedRefreshToken): Promise<RefreshFamily | undefined> {
    const { tenant, store } = this.#dependencies
    return store.family(tenant, family)
  }

  /** Whether it is the one that can be used next. */
  isCurrent({ generation, secret }: PresentedRefreshToken, family: RefreshFamily): boolean {
    return generation === family.generation && equal(hashOf(secret), family.currentHash)
  }

  /** Whether it is or was one of the family. Of those long gone the MAC of the id is the proof. */
  isKnown(presented: PresentedRefreshToken, family: RefreshFamily): boolean {
    const behind = family.generation - presented.generation
    const hash = hashOf(presented.secret)
    if (behind === 0) return equal(hash, family.currentHash)
    return behind > 1 || (behind === 1 && equal(hash, family.previousHash))
  }

  /** Rotates, and gives the successor where there is one for this caller. */
  async rotate(
    presented: PresentedRefreshToken,
  ): Promise<{ readonly outcome: RotationOutcome; readonly successor?: string }> {
    const { tenant, store, clock } = this.#dependencies
    const { family, generation, secret } = presented
    const successor = this.#successorOf(presented)
    const outcome = await store.rotateRefresh({
      tenant,
      family,
      generation,
      presentedHash: hashOf(secret),
      successorHash: hashOf(successor),
      now: clock.wall(),
      graceMs: GRACE_MS,
    })
    if (outcome !== 'rotated' && outcome !== 'repeated') return { outcome }
    return { outcome, successor: this.#show(family, generation + 1, successor) }
  }

  #successorOf({ family, generation, secret }: PresentedRefreshToken): Buffer {
    return createHmac('sha256', this.#dependencies.key)
      .update(`successor ${this.#dependencies.tenant} ${family} ${String(generation + 1)} `)
      .update(secret)
      .digest()
  }

  #show(family: string, generation: number, secret: Buffer): string {
    const body = Buffer.alloc(FAMILY_BYTES + GENERATION_BYTES)
    body.write(family.replaceAll('-', ''), 'hex')
    body.writeUInt32BE(generation, FAMILY_BYTES)
    const id = Buffer.concat([body, this.#tag(body, secret)], ID_BYTES)
    return `${id.toString('base64url')}.${secret.toString('base64url')}`
  }

  #tag(body: Buffer, secret: Buffer): Buffer {
    return createHmac('sha256', this.#dependencies.key)
      .update(`id ${this.#dependencies.tenant} `)
      .update(body)
      .update(secret)
      .digest()
      .subarray(0, TAG_BYTES)
  }
}

function equal(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && timingSafeEqual(one, other)
}

function hashOf(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest()
}

function showUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}

/** Reads what `start` wrote. */
export function refreshGrantOf({ grant }: RefreshFamily): RefreshGrant {
  return JSON.parse(grant) as RefreshGrant
}
