import { expect, test } from 'vitest'
import { LAST_ATTEMPT_MS } from '../../src/broker/patience.ts'
import { FOREGROUND_MS } from '../../src/broker/token_exchange.ts'
import { JITTER, REFRESH_AT } from '../../src/cache/token_cache.ts'
import { readPage } from './pages.ts'

const { text } = await readPage('docs/outage.md')
const latest = REFRESH_AT * (1 + JITTER)

test.each([
  ['the share that is left', `up to ${String(Math.round((1 - latest) * 1000) / 10)} % of`],
  ['of an hour', `that is ${String(Math.round((1 - latest) * 3_600))} s, or 17 minutes`],
  ['of five minutes', `of 300 s are ${String(Math.floor((1 - latest) * 300))} s`],
  ['the usual moment', `at ${String(REFRESH_AT * 100)} % of its life`],
  ['the latest moment', `at the latest at ${String(Math.round(latest * 1000) / 10)} %`],
  [
    'the patience of a caller',
    `shorter than ${String((FOREGROUND_MS - LAST_ATTEMPT_MS) / 1000)} s**`,
  ],
])('the page states %s as the code has it', (_name, sentence) => {
  expect(text.replaceAll('\n', ' ')).toContain(sentence)
})
