import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DocumentFault } from '../../../src/config/document.ts'
import { LocalPolicy } from '../../../src/policy/local/local_policy.ts'

/** A file of workloads in YAML, each written on one line. */
function fileOf(path: string, ...workloads: readonly string[]) {
  const list = workloads.map((workload) => `\n  - { ${workload} }`).join('')
  return { path, bytes: Buffer.from(`workloads:${list === '' ? ' []' : list}\n`) }
}

const sub = (namespace: string, account: string): string =>
  `system:serviceaccount:${namespace}:${account}`

const policy = LocalPolicy.parse([
  fileOf(
    '1.yaml',
    'name: exact, namespace: research, serviceAccount: analyst',
    'name: account, serviceAccount: "bot-*"',
    'name: namespace, namespace: research',
    'name: late, namespace: ops, serviceAccount: runner',
  ),
  fileOf(
    '2.yml',
    'name: teams, namespace: "team-*", serviceAccount: "*.worker"',
    'name: other, namespace: dev, serviceAccount: runner',
    'name: kubernetes, namespace: "*"',
    'name: rest',
  ),
])

describe('the rule of', () => {
  test.each([
    ['one account', sub('research', 'analyst'), 'exact'],
    ['another account of its namespace', sub('research', 'writer'), 'namespace'],
    ['the same account elsewhere', sub('ops', 'analyst'), 'kubernetes'],
    ['accounts anywhere', sub('ops', 'bot-1'), 'account'],
    ['two that fit: the earlier', sub('research', 'bot-1'), 'account'],
    ['an account of a later line', sub('ops', 'runner'), 'late'],
    ['an account of a second file', sub('dev', 'runner'), 'other'],
    ['stars in both', sub('team-a', 'x.worker'), 'teams'],
    ['one star only', sub('team-a', 'worker'), 'kubernetes'],
    ['anything else of Kubernetes', sub('x', 'y'), 'kubernetes'],
    ['a role of AWS', 'arn:aws:iam::111122223333:role/analyst', 'rest'],
    ['an empty subject', '', 'rest'],
    ['no account', 'system:serviceaccount:research', 'rest'],
    ['an empty account', 'system:serviceaccount:research:', 'rest'],
    ['an empty namespace', 'system:serviceaccount::analyst', 'rest'],
    ['a part more', `${sub('research', 'analyst')}:x`, 'rest'],
    ['something before it', `x${sub('research', 'analyst')}`, 'rest'],
    ['other upper case', 'System:serviceaccount:research:analyst', 'rest'],
    ['a user of Kubernetes', 'system:node:research:analyst', 'rest'],
  ])('%s', (_, subject, name) => {
    expect(policy.ruleFor(subject)?.name).toBe(name)
  })

  test.each([
    ['another namespace', sub('ops', 'a')],
    ['another account', sub('n', 'b')],
    ['something that is no service account', 'a'],
  ])('%s, where none fits', (_, subject) => {
    const narrow = LocalPolicy.parse([fileOf('p', 'name: a, namespace: n, serviceAccount: a')])
    expect(narrow.ruleFor(sub('n', 'a'))?.name).toBe('a')
    expect(narrow.ruleFor(subject)).toBeUndefined()
  })

  test('no workload, where there are no rules', () => {
    expect(LocalPolicy.parse([fileOf('p.yaml')]).ruleFor(sub('n', 'a'))).toBeUndefined()
  })
})

test('is what was written', () => {
  const text = `workloads:
    - name: analyst
      namespace: research
      allow:
        - { audience: "https://docs.example.com", scopes: [read:documents] }
        - { scopes: [agent:self] }
      exchangesPerMinute: 30
      audiencesPerHour: 10
      delegation: { maxDepth: 2, subjects: 5, exchangesPerMinute: 3 }`
  const parsed = LocalPolicy.parse([{ path: 'p.yaml', bytes: Buffer.from(text) }])
  const rule = parsed.ruleFor(sub('research', 'x'))
  expect(rule).toMatchObject({
    name: 'analyst',
    allow: [
      { audience: 'https://docs.example.com', scopes: ['read:documents'] },
      { scopes: ['agent:self'] },
    ],
    exchangesPerMinute: 30,
    audiencesPerHour: 10,
    delegation: { maxDepth: 2, subjects: 5, exchangesPerMinute: 3 },
  })
  expect(rule?.denies({ targets: ['https://other.example'], scope: undefined })).toBe(
    'audience_not_allowed',
  )
})

describe('files', () => {
  const one = 'name: one, namespace: a'
  const two = 'name: two, namespace: "*"'
  test.each([
    ['of several kinds', [fileOf('1.yaml', one), fileOf('2.json', two)], 'one'],
    ['in the order given', [fileOf('2.yml', one), fileOf('1.yml', two)], 'one'],
    ['and a backup', [fileOf('1.yaml~', one), fileOf('2.yaml', two)], 'two'],
    ['of one, by whatever name', [fileOf('policy', one)], 'one'],
  ])('%s', (_, contents, name) => {
    expect(LocalPolicy.parse(contents).ruleFor(sub('a', 'x'))?.name).toBe(name)
  })

  test.each([
    ['none', []],
    ['backups only', [fileOf('1.bak', one), fileOf('2.bak', two)]],
  ])('%s', (_, contents) => {
    expect(() => LocalPolicy.parse(contents)).toThrow(
      new DocumentFault([
        { path: '', message: 'there is no local policy file (.yaml, .yml, .json)' },
      ]),
    )
  })
})

const names = fc.constantFrom('a', 'b', 'ab', 'ba')
const part = fc.option(fc.constantFrom('a', 'b', 'a*', '*b', '*'), { nil: undefined })

/** Taken literally: the first in order of which both parts match. */
function firstFitting(
  rules: readonly (readonly [string | undefined, string | undefined])[],
  subject: readonly string[],
) {
  const fits = (pattern: string | undefined, text: string | undefined): boolean =>
    pattern === undefined ||
    (text !== undefined && new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text))
  return rules.findIndex(
    ([namespace, account]) => fits(namespace, subject[0]) && fits(account, subject[1]),
  )
}

test('the first that fits counts, and a rule that parses is reached by somebody', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(part, part), { maxLength: 6 }),
      fc.array(fc.tuple(names, names), { maxLength: 10 }),
      (rules, accounts) => {
        const lines = rules.map(([namespace, account], index) =>
          JSON.stringify({
            name: `r${String(index)}`,
            ...(namespace !== undefined && { namespace }),
            ...(account !== undefined && { serviceAccount: account }),
          }).slice(1, -1),
        )
        let parsed: LocalPolicy
        try {
          parsed = LocalPolicy.parse([fileOf('p.yaml', ...lines)])
        } catch (error) {
          expect(error).toBeInstanceOf(DocumentFault)
          // Of every pair of letters that the patterns tell apart, none comes as far as one of the rules.
          const parts = ['a', 'b', 'ab', 'ba', 'x', 'ax', 'xb', 'axb', 'aab']
          const subjects = [[], ...parts.flatMap((one) => parts.map((two) => [one, two]))]
          const reached = new Set(subjects.map((subject) => firstFitting(rules, subject)))
          expect(rules.every((_, index) => reached.has(index))).toBe(false)
          return
        }
        for (const [namespace, account] of accounts) {
          const index = firstFitting(rules, [namespace, account])
          const expected = index === -1 ? undefined : `r${String(index)}`
          expect(parsed.ruleFor(sub(namespace, account))?.name).toBe(expected)
        }
        const index = firstFitting(rules, [])
        expect(parsed.ruleFor('x')?.name).toBe(index === -1 ? undefined : `r${String(index)}`)
      },
    ),
    { numRuns: 500 },
  )
})
