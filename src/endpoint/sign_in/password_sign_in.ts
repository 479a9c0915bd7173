import type { UserConfig } from '../../config/user.ts'
import type { Audit } from '../../platform/audit.ts'
import { toldOf, type BrowserRequest } from '../browser/request.ts'
import type { Limits } from '../limits.ts'
import type { Tenant } from '../tenant.ts'
import type { SignInAttempts } from './attempts.ts'
import { MAX_PASSWORD_LENGTH, type Passwords } from './password.ts'

interface PasswordSignInDependencies {
  readonly passwords: Passwords
  readonly attempts: SignInAttempts
  readonly limits: Pick<Limits, 'exhausted' | 'failed'>
  readonly audit: Audit
}

/** Local users, by address and password. */
export class PasswordSignIn {
  readonly #dependencies: PasswordSignInDependencies

  constructor(dependencies: PasswordSignInDependencies) {
    this.#dependencies = dependencies
  }

  /** Who it is, or what the page is to say. Of an address that nobody has it takes as long as of any other. */
  async who(
    { email, password }: { readonly email: string; readonly password: string },
    request: BrowserRequest,
    tenant: Tenant,
  ): Promise<UserConfig | 'locked' | 'busy' | 'wrong'> {
    const { passwords, attempts, limits, audit } = this.#dependencies
    const { address: from } = request
    const key = `${tenant.slug} ${email}`
    // One address for many, or many from one place (password spraying).
    if (attempts.isLocked(key) || limits.exhausted(from)) return 'locked'
    const user = await tenant.localUser(email)
    const tried = password.length <= MAX_PASSWORD_LENGTH ? password : ''
    const verdict = await passwords.verify(tried, user?.password)
    if (verdict === 'busy') return 'busy'
    const active = user && verdict === 'right' ? await tenant.users.active(user.sub) : undefined
    const said = { ...toldOf(request, tenant), subject: user?.sub }
    if (!active) {
      attempts.failed(key)
      limits.failed(from)
      await audit.record({ event: 'user.sign_in_failed', outcome: 'denied', ...said })
      return 'wrong'
    }
    attempts.succeeded(key)
    await audit.record({ event: 'user.signed_in', outcome: 'success', ...said })
    return active
  }
}
