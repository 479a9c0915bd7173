import { describe, test } from 'vitest'
import type { Store } from '../../../src/store/store.ts'

/** Some ways in to one and the same store, empty at first. */
export interface OpenedStore {
  readonly ways: readonly [Store, Store, ...Store[]]
  close(): Promise<void>
}

export type Open = () => Promise<OpenedStore>

type Ways = OpenedStore['ways']

/** How a group of cases is written for whatever store there is. */
export interface StoreTests {
  /** A named group of cases. */
  readonly group: (what: string, cases: () => void) => void
  /** A case on a store of its own. */
  readonly test: (what: string, use: (ways: Ways) => Promise<void>) => void
}

export function storeTests(name: string, open: Open): StoreTests {
  return {
    group: (what, cases) => {
      describe(`${name}: ${what}`, cases)
    },
    test: (what, use) => {
      test(what, async () => {
        const opened = await open()
        try {
          await use(opened.ways)
        } finally {
          await opened.close()
        }
      })
    },
  }
}

/** Asks the same so many times at once, by all ways in turn. */
export function atOnce<T>(
  ways: Ways,
  count: number,
  ask: (way: Store, at: number) => Promise<T>,
): Promise<readonly T[]> {
  return Promise.all(
    Array.from({ length: count }, (_, at) => ask(ways[at % ways.length] ?? ways[0], at)),
  )
}

/** How often each answer came. */
export function tally(answers: readonly (string | boolean)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[String(answer)] = (counts[String(answer)] ?? 0) + 1
  return counts
}
