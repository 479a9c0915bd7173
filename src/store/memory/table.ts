import { StoreFault } from '../store.ts'

type Part = string | number | Uint8Array

/** Rows by a key of several parts, of which there is one each. */
export class Table<Row> {
  readonly #keyOf: (row: Row) => readonly Part[]
  readonly #rows = new Map<string, Row>()

  constructor(keyOf: (row: Row) => readonly Part[]) {
    this.#keyOf = keyOf
  }

  get(...key: readonly Part[]): Row | undefined {
    return this.#rows.get(textOf(key))
  }

  /** False where there is one of the same key. */
  add(row: Row): boolean {
    const key = textOf(this.#keyOf(row))
    if (this.#rows.has(key)) return false
    this.#rows.set(key, row)
    return true
  }

  /** As a database refuses a second row of one key. */
  insert(row: Row): Promise<void> {
    return this.add(row)
      ? Promise.resolve()
      : Promise.reject(new StoreFault('there is such a row already'))
  }

  put(row: Row): void {
    this.#rows.set(textOf(this.#keyOf(row)), row)
  }

  remove(...key: readonly Part[]): boolean {
    return this.#rows.delete(textOf(key))
  }

  where(holds: (row: Row) => boolean): readonly Row[] {
    return [...this.#rows.values()].filter(holds)
  }

  removeWhere(holds: (row: Row) => boolean): void {
    for (const [key, row] of this.#rows) if (holds(row)) this.#rows.delete(key)
  }
}

/** No two keys have one text, whatever their parts are. */
function textOf(key: readonly Part[]): string {
  return JSON.stringify(
    key.map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part)),
  )
}

/** By UTF-16 code units, whatever the language of the machine is. */
export function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
