import type { Clock } from './clock.ts'
import { fingerprint, type Files } from './files.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** One file as it was read. */
export interface FileContent {
  readonly path: string
  readonly bytes: Buffer
}

interface WatchOptions<T> {
  /** What the files hold, for the log and the metric: a fixed word such as `policy`. */
  readonly what: string
  /** Files, or folders whose files are taken together. */
  readonly paths: readonly string[]
  readonly maxBytes: number
  /** Turns the contents into the value. Throws an Error whose message may be shown to the operator. */
  readonly parse: (contents: readonly FileContent[]) => T
  readonly everyMs?: number
}

interface WatchDependencies {
  readonly files: Files
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

const RELOAD_EVERY_MS = 1_000
/** Nobody notices before, for the program goes on as it was. */
const ADVICE = 'mend it before the next start: the program does not start with it'

/**
 * A value that lives in files and follows them while the program runs. It is read by path at a steady interval: an inode
 * watch misses what the kubelet swaps through `..data`, and network file systems tell nobody. A change that cannot be
 * parsed is reported once, and the last good value stays.
 */
export class Watched<T> {
  readonly #options: WatchOptions<T>
  readonly #dependencies: WatchDependencies
  readonly #listeners: ((value: T) => void)[] = []
  #value: T
  #seen: string
  #good: string
  #reported: string | undefined
  #cancel: () => void = () => {}
  #stopped = false

  private constructor(
    options: WatchOptions<T>,
    dependencies: WatchDependencies,
    first: Reading,
    value: T,
  ) {
    this.#options = options
    this.#dependencies = dependencies
    this.#seen = first.fingerprint
    this.#good = first.fingerprint
    this.#value = value
    this.#schedule()
  }

  /**
   * Reads and parses for the first time, then follows.
   * @throws FileFault, or whatever `parse` throws: there is no last good value yet
   */
  static async open<T>(
    options: WatchOptions<T>,
    dependencies: WatchDependencies,
  ): Promise<Watched<T>> {
    const first = await readAll(options, dependencies.files)
    return new Watched(options, dependencies, first, options.parse(first.contents))
  }

  current(): T {
    return this.#value
  }

  onChange(listener: (value: T) => void): void {
    this.#listeners.push(listener)
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** Looks once, now. */
  async look(): Promise<void> {
    try {
      const reading = await readAll(this.#options, this.#dependencies.files)
      if (reading.fingerprint === this.#good) this.#reported = undefined
      if (reading.fingerprint === this.#seen) return
      // Remembered before it is parsed, so that contents that do not parse are reported once and not every second.
      this.#seen = reading.fingerprint
      this.#value = this.#options.parse(reading.contents)
      this.#good = reading.fingerprint
    } catch (error) {
      this.#report(error instanceof Error ? error.message : 'unknown')
      return
    }
    const { what } = this.#options
    this.#reported = undefined
    this.#dependencies.metrics.tally('reloads', { what, outcome: 'taken' }).add()
    this.#dependencies.log.info('a changed file was taken up', { what })
    for (const listener of this.#listeners) listener(this.#value)
  }

  #report(reason: string): void {
    if (reason === this.#reported) return
    this.#reported = reason
    const { what } = this.#options
    this.#dependencies.metrics.tally('reloads', { what, outcome: 'refused' }).add()
    this.#dependencies.log.error('a changed file was refused; the last good state stays', {
      what,
      reason,
      advice: ADVICE,
    })
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#cancel = this.#dependencies.clock.after(this.#options.everyMs ?? RELOAD_EVERY_MS, () => {
      void this.look().finally(() => {
        this.#schedule()
      })
    })
  }
}

interface Reading {
  readonly contents: readonly FileContent[]
  readonly fingerprint: string
}

async function readAll(
  options: Pick<WatchOptions<unknown>, 'paths' | 'maxBytes'>,
  files: Files,
): Promise<Reading> {
  const contents: FileContent[] = []
  for (const root of options.paths) {
    contents.push(...(await contentsOf(root, options.maxBytes, files)))
  }
  const parts = contents.flatMap(({ path, bytes }) => [Buffer.from(path), bytes])
  return { contents, fingerprint: fingerprint(parts) }
}

/**
 * What lies at a path now: the file, or those of a folder.
 * @throws FileFault
 */
export async function contentsOf(
  root: string,
  maxBytes: number,
  files: Pick<Files, 'list' | 'read'>,
): Promise<readonly FileContent[]> {
  const contents: FileContent[] = []
  for (const path of await files.list(root)) {
    contents.push({ path, bytes: await files.read(path, maxBytes) })
  }
  return contents
}
