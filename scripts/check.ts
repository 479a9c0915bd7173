import { spawnSync } from 'node:child_process'

/** `npm run check`: types, lint, format and unused code. All of them run, whichever fails. */
const checks: readonly (readonly [name: string, command: string, ...options: string[]])[] = [
  ['types', 'tsc', '-p', '.'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['unused code', 'knip'],
]

const failed = checks.filter(([name, command, ...options]) => {
  const { status } = spawnSync(command, options, { stdio: 'inherit' })
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}\n`)
  return status !== 0
})
process.exitCode = failed.length === 0 ? 0 : 1
