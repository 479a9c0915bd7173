import { Passwords } from '../endpoint/sign_in/password.ts'
import { newLocalSub } from '../endpoint/users.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import { sqliteStore } from '../store/sqlite.ts'

export const DEMO_EMAIL = 'demo@example.com'

/** Lets somebody sign in by a password, if nobody of that address is there yet. */
export async function ensureDemoUser(
  storeFile: string,
  tenant: string,
  password: string,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<void> {
  const store = sqliteStore(storeFile)
  try {
    if (await store.localUserByEmail(tenant, DEMO_EMAIL)) return
    await store.addLocalUser({
      tenant,
      sub: newLocalSub(random.uuid()),
      email: DEMO_EMAIL,
      name: 'Demo User',
      password: await new Passwords(random).hash(password),
      createdAt: unixSeconds(clock),
    })
  } finally {
    await store.close()
  }
}
