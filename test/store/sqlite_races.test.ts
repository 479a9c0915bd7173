import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { tally } from './conformance/opened.ts'
import { inFolder } from './folder.ts'
import { race, type Contest } from './race.ts'
import { code, family, secretOf, shown, signingKey } from './records.ts'

test('of several threads that make a file at the same moment, one is first', () =>
  inFolder(async (folder) => {
    const files = Array.from({ length: 40 }, (_, at) => join(folder, `${String(at)}.sqlite`))
    const told = await race('keepFirstSigningKey', files)
    for (const [at, file] of files.entries()) {
      const left = sqliteStore(file)
      const kids = (await left.signingKeys('acme-corp')).map(({ kid }) => kid)
      await left.close()
      expect(kids).toHaveLength(1)
      expect(told.map((answers) => answers[at])).toEqual(told.map(() => kids))
    }
  }))

interface Case {
  readonly contest: Contest
  readonly prepare: (store: Store) => Promise<unknown>
  readonly outcomes: Readonly<Record<string, number>>
  /** What is in the store afterwards. */
  readonly left?: (store: Store) => Promise<void>
}

const keepFamily = (store: Store) => store.keepFamily(family())

const cases: readonly Case[] = [
  {
    contest: 'rotateToOne',
    prepare: keepFamily,
    outcomes: { rotated: 1, repeated: 3 },
    left: async (store) => {
      const left = await store.family('acme-corp', 'family-1')
      expect(left?.generation).toBe(1)
      expect(shown(left?.currentHash)).toBe(shown(secretOf(1)))
    },
  },
  {
    contest: 'rotateToMany',
    prepare: keepFamily,
    outcomes: { rotated: 1, late: 3 },
    left: async (store) => {
      expect((await store.family('acme-corp', 'family-1'))?.generation).toBe(1)
    },
  },
  {
    contest: 'consumeCode',
    prepare: (store) => store.keepCode(code()),
    outcomes: { true: 1, false: 3 },
  },
  { contest: 'reserve', prepare: () => Promise.resolve(), outcomes: { true: 1, false: 3 } },
  { contest: 'addClient', prepare: () => Promise.resolve(), outcomes: { true: 1, false: 3 } },
  {
    contest: 'retireSigningKey',
    prepare: async (store) => {
      for (const kid of ['kid-0', 'kid-1', 'kid-2', 'kid-3']) {
        await store.addSigningKey(signingKey({ kid }))
      }
    },
    outcomes: { retired: 3, last: 1 },
  },
]

test.each(cases)(
  'threads at the same moment decide as one: $contest',
  ({ contest, prepare, outcomes, left }) =>
    inFolder(async (folder) => {
      const files = Array.from({ length: 12 }, (_, at) => join(folder, `${String(at)}.sqlite`))
      for (const file of files) {
        const store = sqliteStore(file)
        await prepare(store)
        await store.close()
      }
      const told = await race(contest, files)
      for (const [at, file] of files.entries()) {
        const answers = told.map((answers) => answers[at] as string | boolean)
        expect(tally(answers)).toEqual(outcomes)
        const store = sqliteStore(file)
        await left?.(store)
        await store.close()
      }
    }),
)
