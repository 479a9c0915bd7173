import assert from 'node:assert/strict'
import { BROKER_IMAGE } from '../cluster.ts'
import { attempt, shell } from '../shell.ts'
import type { Case } from '../world.ts'

const ALLOWANCE_BYTES = 45_000_000

/** The image is a node binary and little else: no shell, no package manager, nobody's root. */
export const image: Case = {
  name: 'image',
  async run() {
    const run = (...args: readonly string[]) =>
      attempt(['docker', 'run', '--rm', '--read-only', ...args])
    const help = await run(BROKER_IMAGE)
    assert.equal(help.code, 0)
    assert.match(help.stdout, /^lumo-broker \d+\.\d+\.\d+: /)

    for (const program of ['/bin/sh', '/bin/bash', '/usr/bin/apt-get', '/usr/local/bin/npm']) {
      const { code } = await run('--entrypoint', program, BROKER_IMAGE)
      assert.equal(code, 127, `${program} is not there`)
    }

    const facts = `console.log(JSON.stringify({ uid: process.getuid(), node: fs.statSync(process.execPath).size }))`
    const asked = await run('--entrypoint', '/usr/local/bin/node', BROKER_IMAGE, '-e', facts)
    const { uid, node } = JSON.parse(asked.stdout) as { uid: number; node: number }
    assert.equal(uid, 65532)

    const size = Number(
      await shell(['docker', 'image', 'inspect', BROKER_IMAGE, '--format', '{{.Size}}']),
    )
    process.stdout.write(
      `       image ${megabytes(size)}, of it the node binary ${megabytes(node)}\n`,
    )
    assert.ok(size <= node + ALLOWANCE_BYTES, 'at most 45 MB beside the node binary')
  },
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
