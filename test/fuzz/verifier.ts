import { Providers } from '../../src/verifier/registry.ts'
import { FakeClock } from '../fakes/clock.ts'
import {
  entriesOf,
  issuersOf,
  openEntries,
  publishedKeys,
  sundryKeys,
  type Platform,
} from '../fakes/platforms.ts'

const clock = new FakeClock()
export const { now } = clock
export const AUDIENCE = 'https://auth.example/t/acme-corp/api/v1'

const keys = sundryKeys()
export const issuers = issuersOf(AUDIENCE, () => now)
export const platforms = Object.keys(issuers) as readonly Platform[]

/** A key that every issuer publishes, as `p256`: to sign with it costs little. */
export const quickKey = keys.p256.privateKey

const entries = Object.values(entriesOf(issuers, publishedKeys(keys)))

/** Every platform behind one verifier. */
export const verifier = new Providers(
  await openEntries(entries.map((entry) => ({ ...entry, algorithms: ['RS256', 'ES256'] }))),
  clock,
)
