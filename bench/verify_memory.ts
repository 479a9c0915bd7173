import { collectGarbage } from './collect.ts'
import type { BenchIssuer } from './verify_world.ts'

const ENTRIES = 10_000

/** What a full memory of verdicts holds on to, after everything else was collected. */
export async function benchMemory(issuer: BenchIssuer, tokens: readonly string[]): Promise<void> {
  const used = (): number => {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = used()
  const providers = issuer.providers()
  const empty = used()
  for (const token of tokens.slice(0, ENTRIES)) await providers.verify(token)
  const full = used()
  // Read once more, so that nothing of it is collected ahead of the last figure.
  await providers.verify(tokens[0] ?? '')
  const mb = (bytes: number): string => `${(bytes / 1_048_576).toFixed(2)} MB`
  process.stdout.write(
    `memory of verdicts: ${mb(empty - before)} empty, ${mb(full - before)} with ${String(ENTRIES)} entries, ${((full - before) / ENTRIES).toFixed(0)} bytes each\n`,
  )
}
