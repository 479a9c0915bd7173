import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { argon2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { PasswordThread } from '../../../src/endpoint/sign_in/password_thread.ts'

const derivation = {
  message: new TextEncoder().encode('correct horse'),
  nonce: new TextEncoder().encode('saltsaltsaltsalt'),
  memory: 64,
  passes: 1,
  parallelism: 1,
  tagLength: 32,
}
/** RFC 9106 section 3.1: at least 8 KiB. */
const impossible = { ...derivation, memory: 1 }

test('each gets the tag of what it asked for', async () => {
  const thread = new PasswordThread()
  const many = Array.from({ length: 10 }, (_, nth) => ({ ...derivation, passes: nth + 1 }))
  const tags = await Promise.all(many.map((one) => thread.derive(one)))
  expect(tags).toEqual(many.map((one) => Buffer.from(argon2Sync('argon2id', one))))
  expect(thread.pending).toBe(0)
})

test('what cannot be derived is a fault of that one alone', async () => {
  const thread = new PasswordThread()
  const outcomes = await Promise.allSettled(
    [derivation, impossible, derivation].map((one) => thread.derive(one)),
  )
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test.runIf(process.platform === 'linux')('the threads that answer and sign go first', async () => {
  const others = priorities()
  await new PasswordThread().derive(derivation)
  const now = priorities()
  const added = [...now].filter(([thread]) => !others.has(thread)).map(([, priority]) => priority)
  expect(added).toContain(Math.min(getPriority() + 10, 19))
  expect(now.get(process.pid)).toBe(others.get(process.pid))
})

/** Of the threads of this process, by their ids (proc_pid_stat(5), field `nice`). */
function priorities(): ReadonlyMap<number, number> {
  const threads = readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
    const nice = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]
    return [Number(id), Number(nice)] as const
  })
  return new Map(threads)
}
