import { Account } from '../endpoint/account/account.ts'
import { Authorize } from '../endpoint/authorize/authorize.ts'
import { stylePath } from '../endpoint/browser/answers.ts'
import { Pages } from '../endpoint/browser/pages/page.ts'
import type { Limits } from '../endpoint/limits.ts'
import { SignInAttempts } from '../endpoint/sign_in/attempts.ts'
import { Logout } from '../endpoint/sign_in/logout.ts'
import { Passwords } from '../endpoint/sign_in/password.ts'
import { PasswordSignIn } from '../endpoint/sign_in/password_sign_in.ts'
import { SignIn } from '../endpoint/sign_in/sign_in.ts'
import { UpstreamSignIn } from '../endpoint/sign_in/upstream/upstream_sign_in.ts'
import type { Audit } from '../platform/audit.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'

interface Parts {
  readonly limits: Limits
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Wires what people meet in a browser. */
export function browserSide(parts: Parts) {
  const pages = new Pages(stylePath)
  const passwords = new PasswordSignIn({
    passwords: new Passwords(parts.random),
    attempts: new SignInAttempts(parts.clock),
    ...parts,
  })
  const signIn = new SignIn({ passwords, pages })
  return {
    pages,
    passwords,
    signIn,
    upstreamSignIn: new UpstreamSignIn({ signIn, pages, ...parts }),
    authorize: new Authorize({ signIn, pages, ...parts }),
    logout: new Logout({ pages, ...parts }),
    account: new Account({ signIn, pages, ...parts }),
  }
}
