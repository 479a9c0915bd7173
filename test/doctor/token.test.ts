import { expect, test } from 'vitest'
import type { LocalBroker } from '../../src/doctor/broker.ts'
import { tokenLink } from '../../src/doctor/token.ts'
import { lineOf } from './world.ts'

type Answer = Awaited<ReturnType<LocalBroker['token']>>

const canary = 'canary-token'
const refusal = (status: number | undefined) => ({ status, what: 'it says no', advice: 'mend it' })
const refused = 'failed token: it says no; mend it'

const cases: readonly (readonly [
  name: string,
  answer: Answer,
  callers: 'none' | 'shown' | 'not_shown',
  line: string,
])[] = [
  [
    'gives one',
    { said: { access_token: canary, expires_in: 3_540, scope: 'agent:self' } },
    'none',
    'ok token: the broker gives one for 59 min, scope "agent:self"',
  ],
  ['of another version gives one', { said: {} }, 'none', 'ok token: the broker gives one'],
  [
    'gives one with text for another terminal',
    { said: { access_token: canary, scope: 'a\u009b' } },
    'shown',
    'ok token: the broker gives one, scope "a?"',
  ],
  ['refuses', refusal(403), 'none', refused],
  ['gives no answer', refusal(undefined), 'none', refused],
  ['refuses the caller', refusal(401), 'shown', refused],
  [
    'has not been shown a caller',
    refusal(401),
    'not_shown',
    'skipped token: a caller is shown to the broker with --proof-file',
  ],
  ['refuses another thing than the caller', refusal(400), 'not_shown', refused],
]

test.each(cases)('a broker that %s', async (_name, answer, callers, line) => {
  const finding = await tokenLink({ token: () => Promise.resolve(answer) }, { callers })
  expect(lineOf(finding)).toBe(line)
  expect(JSON.stringify(finding)).not.toContain(canary)
})

test('a broker that nothing is known of', async () => {
  expect(lineOf(await tokenLink(undefined, { callers: 'none' }))).toBe(
    'skipped token: the configuration does not tell where to ask for it',
  )
})
