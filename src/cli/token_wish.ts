import { UsageFault } from './io.ts'

export const wishRules = {
  audience: 'repeated',
  resource: 'repeated',
  scope: 'optional',
  'min-ttl': 'optional',
  agent: 'optional',
} as const

export interface WishOptions {
  readonly audience: readonly string[]
  readonly resource: readonly string[]
  readonly scope: string | undefined
  readonly 'min-ttl': string | undefined
  readonly agent: string | undefined
}

/** What is asked of the broker, as the form that goes to `/v1/token`. */
export interface TokenWish {
  readonly form: string
  /** Whether an agent is named, which may be what is wrong. */
  readonly namesAgent: boolean
}

/** @throws UsageFault */
export function wishOf(given: WishOptions): TokenWish {
  const form = new URLSearchParams()
  const add = (option: string, value: string | undefined): void => {
    if (value === undefined) return
    // As a shell makes it of a variable that is not set: the token would be another than the one that is meant.
    if (value === '') throw new UsageFault(`--${option} must not be empty`)
    form.append(option.replace('-', '_'), value)
  }
  for (const value of given.audience) add('audience', value)
  for (const value of given.resource) add('resource', value)
  add('scope', given.scope)
  add('min-ttl', given['min-ttl'])
  if (!/^\d{1,6}$/.test(given['min-ttl'] ?? '0')) {
    throw new UsageFault('--min-ttl must be whole seconds, up to 999999')
  }
  add('agent', given.agent)
  return { form: form.toString(), namesAgent: given.agent !== undefined }
}
