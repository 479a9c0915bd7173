import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Random } from '../../platform/random.ts'
import { WriteFault, type FileAccess, type WritableFiles } from '../../platform/written_file.ts'
import { adviceFor } from './advice.ts'
import { BackOff } from './back_off.ts'
import { contentOf, type SinkFormat } from './content.ts'
import { isOver, type DatedToken } from './dated_token.ts'
import { Told } from './told.ts'

export interface SinkSettings extends FileAccess {
  /** The full path. */
  readonly file: string
  readonly format: SinkFormat
}

export interface TokenFileDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly files: WritableFiles
}

/** The usual life of a token: what an earlier run left has no longer one, as far as anybody here can know. */
const UNKNOWN_MS = 3_600_000

/** Why a token may lie in its file no longer. */
type Removal = 'expired' | 'refused' | 'stopped'

/**
 * The file, and what is known to lie there. Its methods are called one after the other, never two at once, and none of them
 * rejects: whatever the file system says is logged, counted, and tried again.
 */
export class TokenFile {
  readonly #settings: SinkSettings
  readonly #dependencies: TokenFileDependencies
  readonly #tally
  readonly #writing: { readonly backOff: BackOff; readonly told: Told }
  readonly #removing: { readonly backOff: BackOff; readonly told: Told }
  /** At first what an earlier run may have left, of which nothing is known. */
  #lies: DatedToken | 'unknown' | 'nothing' = 'unknown'
  /** Monotonic; by then it is taken for expired. */
  readonly #unknownUntil: number
  #doomed: Removal | undefined
  #written = false

  constructor(settings: SinkSettings, dependencies: TokenFileDependencies) {
    const { clock, random, metrics } = dependencies
    this.#settings = settings
    this.#unknownUntil = clock.monotonic() + UNKNOWN_MS
    this.#dependencies = dependencies
    this.#tally = {
      written: metrics.tally('sinkWrites', { outcome: 'written' }),
      failed: metrics.tally('sinkWrites', { outcome: 'failed' }),
      removed: metrics.tally('sinkWrites', { outcome: 'removed' }),
    }
    this.#writing = { backOff: new BackOff(clock, random), told: new Told() }
    this.#removing = { backOff: new BackOff(clock, random), told: new Told() }
  }

  /** True once a first token was written. */
  get written(): boolean {
    return this.#written
  }

  holds({ accessToken }: DatedToken): boolean {
    return typeof this.#lies === 'object' && this.#lies.accessToken === accessToken
  }

  /** Writes the token if another or none lies there; after a failure not before its time. */
  async put(token: DatedToken): Promise<void> {
    if (this.holds(token)) {
      // The broker's word for what is left of it is newer than ours.
      this.#keep(token)
      if (await this.#isThere()) return
    }
    if (!this.#writing.backOff.isDue()) return
    const { file, format, mode, group } = this.#settings
    const { files, log } = this.#dependencies
    try {
      await files.replace(file, contentOf(format, token), { mode, group })
    } catch (error) {
      this.#failed('a token could not be written to its file', error, this.#writing)
      return
    }
    this.#keep(token)
    this.#tally.written.add()
    this.#writing.backOff.succeeded()
    if (this.#writing.told.over() || !this.#written) log.info('a token file is written', { file })
    this.#written = true
  }

  /** Somebody may have removed it, by mistake or with its folder. What cannot be looked at is left. */
  async #isThere(): Promise<boolean> {
    return this.#dependencies.files.has(this.#settings.file).catch(() => true)
  }

  /** The broker may have this token no longer: the file goes at once, or as soon as it can, unless a token comes first. */
  async refuse(): Promise<void> {
    this.#doomed = 'refused'
    await this.tend()
  }

  /** Removes whatever lies there, for good. */
  async clear(): Promise<void> {
    if (this.#lies !== 'nothing') await this.#remove('stopped')
  }

  /** Looks after what lies there: a token that ended goes, and so does one that could not be removed before. */
  async tend(): Promise<void> {
    if (this.#lies === 'nothing') return
    const { clock } = this.#dependencies
    if (this.#lies === 'unknown' && clock.monotonic() >= this.#unknownUntil)
      this.#doomed ??= 'expired'
    if (typeof this.#lies === 'object' && isOver(this.#lies, clock)) {
      this.#doomed ??= 'expired'
    }
    if (this.#doomed && this.#removing.backOff.isDue()) await this.#remove(this.#doomed)
  }

  /** Removes what was left beside the file by runs that were killed. */
  async sweep(): Promise<void> {
    const { file } = this.#settings
    try {
      await this.#dependencies.files.sweep(file)
    } catch (error) {
      const { code } = faultOf(error)
      this.#dependencies.log.warn('what an earlier run left beside a token file stays there', {
        file,
        code,
      })
    }
  }

  #keep(token: DatedToken): void {
    this.#lies = token
    this.#doomed = undefined
  }

  async #remove(why: Removal): Promise<void> {
    const { file } = this.#settings
    const { files, log } = this.#dependencies
    try {
      const was = await files.remove(file)
      this.#lies = 'nothing'
      this.#doomed = undefined
      this.#removing.backOff.succeeded()
      this.#removing.told.over()
      if (!was) return
    } catch (error) {
      this.#failed('a token file could not be removed', error, this.#removing)
      return
    }
    this.#tally.removed.add()
    const level = why === 'stopped' ? 'info' : 'warn'
    log[level]('a token file is removed', { file, why })
  }

  #failed(
    message: string,
    error: unknown,
    { backOff, told }: { readonly backOff: BackOff; readonly told: Told },
  ): void {
    const { code, call } = faultOf(error)
    this.#tally.failed.add()
    backOff.failed()
    if (!told.isNew(`${call} ${code}`)) return
    const { file } = this.#settings
    this.#dependencies.log.error(message, { file, code, call, advice: adviceFor({ code, call }) })
  }
}

function faultOf(error: unknown): Pick<WriteFault, 'code' | 'call'> {
  return error instanceof WriteFault ? error : { code: 'unknown', call: 'unknown' }
}
