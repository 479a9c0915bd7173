import { spawnSync } from 'node:child_process'

/** `npm run fuzz`: the properties of the verifiers, and of acting for others, over many more cases than a run of the tests can afford. */
const CASES = '200000'

const files = ['test/verifier/fuzz', 'test/broker/fuzz', 'test/broker/delegation/interleavings']
const { status } = spawnSync('vitest', ['run', ...files, '--testTimeout', '3600000'], {
  stdio: 'inherit',
  env: { FUZZ_CASES: CASES, ...process.env },
})
process.exitCode = status ?? 1
