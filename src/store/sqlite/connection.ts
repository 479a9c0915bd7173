import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { StoreFault } from '../store.ts'

/** A prepared statement whose rows have a known shape. */
export interface Statement<Row> {
  all(...parameters: readonly SQLInputValue[]): readonly Row[]
  get(...parameters: readonly SQLInputValue[]): Row | undefined
  /** Answers how many rows changed. */
  run(...parameters: readonly SQLInputValue[]): number
}

/** Owns the database: how statements are prepared, what is atomic, and what a fault of SQLite is told as. */
export class Connection {
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
  }

  /** The columns are to be named as the members of `Row` are: nothing else holds the two together. */
  prepare<Row = never>(sql: string): Statement<Row> {
    const statement = this.#database.prepare(sql)
    return {
      all: (...parameters) => statement.all(...parameters) as unknown as readonly Row[],
      get: (...parameters) => statement.get(...parameters) as unknown as Row | undefined,
      run: (...parameters) => Number(statement.run(...parameters).changes),
    }
  }

  /** For what is no query: definitions and pragmas. */
  execute(sql: string): void {
    this.#database.exec(sql)
  }

  /** For reads, and for writes of a single statement, which is atomic by itself. */
  attempt<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(work())
    } catch (error) {
      return Promise.reject(new StoreFault(reasonOf(error)))
    }
  }

  /** For everything that writes by more than one statement, or by what it read. */
  write<T>(work: () => T): Promise<T> {
    return this.attempt(() => this.transaction(work))
  }

  /**
   * Takes the lock for writing before anything is read: a transaction that began by reading could not go on to write once
   * another process has, and what it read would no longer be so.
   */
  transaction<T>(work: () => T): T {
    this.#begin.run()
    try {
      const result = work()
      this.#commit.run()
      return result
    } catch (error) {
      // Where the disk is full or broken, SQLite has ended it already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
    this.#database.close()
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
