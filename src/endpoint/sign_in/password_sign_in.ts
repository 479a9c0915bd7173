import type { UserConfig } from '../../config/user.ts'
import type { Audit } from '../../platform/audit.ts'
import type { LocalUser } from '../../store/records.ts'
import { toldOf, type BrowserRequest } from '../browser/request.ts'
import type { Limits } from '../limits.ts'
import type { Tenant } from '../tenant.ts'
import { attemptKey, type SignInAttempts } from './attempts.ts'
import { MAX_PASSWORD_LENGTH, type Passwords } from './password.ts'

const MAX_EMAIL_LENGTH = 255

interface PasswordSignInDependencies {
  readonly passwords: Pick<Passwords, 'verify'>
  readonly attempts: SignInAttempts
  readonly limits: Pick<Limits, 'passwordTried' | 'passwordSpared'>
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
    { email: written, password }: { readonly email: string; readonly password: string },
    request: BrowserRequest,
    tenant: Tenant,
  ): Promise<UserConfig | 'locked' | 'busy' | 'wrong'> {
    const { attempts, limits, audit } = this.#dependencies
    const { slug } = tenant
    const email = written.trim().toLowerCase().slice(0, MAX_EMAIL_LENGTH)
    const { address } = request
    // Many from one place (password spraying), or many for one address.
    if (limits.passwordTried(address)) return 'busy'
    const user = await tenant.localUser(email)
    const key = attemptKey(slug, email, user?.password)
    const verdict = attempts.begin(key)
      ? await this.#judge(user, email, password, tenant)
      : 'locked'
    if (verdict === 'wrong') {
      await audit.record({
        event: 'user.sign_in_failed',
        outcome: 'denied',
        ...toldOf(request, tenant),
        subject: user?.sub,
      })
      return verdict
    }
    limits.passwordSpared(address)
    if (verdict === 'busy') attempts.spare(key)
    if (typeof verdict === 'string') return verdict
    attempts.succeeded(key)
    await audit.record({
      event: 'user.signed_in',
      outcome: 'success',
      ...toldOf(request, tenant),
      subject: verdict.sub,
    })
    return verdict
  }

  async #judge(
    user: LocalUser | undefined,
    email: string,
    password: string,
    tenant: Tenant,
  ): Promise<UserConfig | 'busy' | 'wrong'> {
    const tried = password.length <= MAX_PASSWORD_LENGTH ? password : ''
    const verdict = await this.#dependencies.passwords.verify(tried, user?.password)
    if (verdict !== 'right' || !user) return verdict === 'busy' ? verdict : 'wrong'
    // It may have been replaced while this one waited for its turn.
    const now = await tenant.localUser(email)
    if (now?.password !== user.password) return 'wrong'
    return (await tenant.users.active(user.sub)) ?? 'wrong'
  }
}
