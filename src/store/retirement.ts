import type { SigningKeyRecord } from './records.ts'

/**
 * What becomes of a key that is to be retired. Every store calls this inside its own atomic step: of two that are retired at
 * once, the last that signs must stay.
 */
export function judgeRetirement(
  keys: readonly SigningKeyRecord[],
  kid: string,
  at: number,
): 'retired' | 'last' | 'unknown' {
  const live = keys.filter(({ retiredAt }) => retiredAt === undefined)
  if (!live.some((key) => key.kid === kid)) return 'unknown'
  return live.some((key) => key.kid !== kid && key.signsFrom <= at) ? 'retired' : 'last'
}
