import { expect, test } from 'vitest'
import { choose, type Choice } from './chosen.ts'

const all = [{ name: 'first token' }, { name: 'stranger' }, { name: 'rotation' }]
const named = (...names: readonly string[]) => ({ cases: names.map((name) => ({ name })) })
const THERE = 'there are: first token, stranger, rotation'

const choices: readonly (readonly [
  name: string,
  only: readonly string[] | undefined,
  choice: Choice<{ readonly name: string }>,
])[] = [
  ['nothing', undefined, { cases: all }],
  ['a name', ['stranger'], named('stranger')],
  ['a part of two', ['r'], named('first token', 'stranger', 'rotation')],
  ['two, in the order of the tests', ['rotation', 'first'], named('first token', 'rotation')],
  ['an unknown one', ['strangr'], { fault: `there is no test "strangr"; ${THERE}` }],
  ['an unknown one beside another', ['stranger', 'x'], { fault: `there is no test "x"; ${THERE}` }],
  ['an empty one', [''], { fault: `there is no test ""; ${THERE}` }],
]

test.each(choices)('--only with %s', (_name, only, choice) => {
  expect(choose(all, only)).toEqual(choice)
})
