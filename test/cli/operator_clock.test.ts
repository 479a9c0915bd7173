import { decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { operator, type Operator } from './operator.ts'

async function jwks({ authority }: Operator): Promise<readonly string[]> {
  const { json } = await authority.send({ path: '/t/acme-corp/api/v1/.well-known/jwks.json' })
  return (json['keys'] as { kid: string }[]).map(({ kid }) => kid)
}

/** The running authority looks at its keys once a second. */
async function afterALook(running: Operator, expected: readonly string[]): Promise<void> {
  running.clock.advance(1_000)
  const seen = async () => (await jwks(running)).toSorted()
  await expect.poll(seen, { interval: 20, timeout: 5_000 }).toEqual(expected.toSorted())
}

test.each([600, -600])(
  'what is revoked goes by the clock of the tokens, off by %d s',
  async (offset) => {
    const running = await operator(offset)
    const { authority, clock, done } = running
    try {
      const before = await authority.userToken()
      await done('revoke', '--user', 'user_a')
      clock.advance(5_000)
      const after = await authority.userToken()
      expect(await authority.introspect(before)).toEqual({ active: false })
      expect(await authority.introspect(after)).toMatchObject({ active: true })
    } finally {
      await authority.stop()
    }
  },
)

const START = -600

test('a key that was retired is published until its last token has expired', async () => {
  // So far back that a day and six minutes later is still an offset that a configuration may have.
  const running = await operator(START)
  const { authority, clock, done, setClockOffset } = running
  try {
    const [first = ''] = await jwks(running)
    const [next = ''] = (await done('keys', 'rotate')).split(' ')
    await afterALook(running, [first, next])
    const last = await authority.clientToken('service_b')
    expect(decodeProtectedHeader(last).kid).toBe(first)
    expect(await done('keys', 'list')).toMatch(/^\S+ {2}ES256 {2}published, signs from 20.*Z$/m)

    clock.advance(361_000)
    await setClockOffset(START + 362)
    expect((await done('keys', 'list')).split('\n').toSorted()).toEqual(
      [
        `${first}  ES256  published, signs no more: a newer one does`,
        `${next}  ES256  signs`,
        '',
      ].toSorted(),
    )
    await done('keys', 'retire', first)
    await afterALook(running, [first, next])
    expect(await authority.introspect(last)).toMatchObject({ active: true })
    expect((await running.command('keys', 'retire', next)).stderr).toBe(
      'lumo-broker: it is the only key that signs: rotate first, and wait until the new one signs\n',
    )

    clock.advance(86_000_000)
    expect((await jwks(running)).toSorted()).toEqual([first, next].toSorted())
    clock.advance(1_000_000)
    await afterALook(running, [next])
    await setClockOffset(START + 362 + 86_402)
    expect(await done('keys', 'list')).toMatch(
      new RegExp(`^${first} {2}ES256 {2}retired, gone since 20.*Z$`, 'm'),
    )
  } finally {
    await authority.stop()
  }
})
