import {
  countPods,
  readAuthority,
  writeAuthority,
  type Authority,
  type PodsCounted,
} from './authority.ts'
import {
  bringInStep,
  given,
  outage,
  readKept,
  RoundEnded,
  writeKept,
  type WriteDependencies,
} from './bring.ts'
import { Outage } from './cluster_objects.ts'
import { authorityStep, SETTLED_MS, type AuthorityStep } from './decide.ts'
import { makeCa } from './issue.ts'
import { endOf } from './read_pair.ts'

/** Each round may end because the CA went one step on, of which no more than three can follow one another. */
const MAX_ROUNDS = 6
const COUNT_EVERY_MS = 600_000
const COUNT_EVERY_MS_IN_CHANGE = 60_000

/** Writes what is due, for the replica that may. What it remembers between passes is when things last changed, and no key. */
export class DueWriter {
  readonly #dependencies: WriteDependencies
  #steadySince: number | undefined
  #counted: ({ readonly at: number } & PodsCounted) | undefined
  #ends: readonly number[] = []

  constructor(dependencies: WriteDependencies) {
    this.#dependencies = dependencies
  }

  /** Undefined: they have not been counted here. */
  get pods(): PodsCounted | undefined {
    return this.#counted
  }

  /** When the certificates end that it keeps; milliseconds since the Unix epoch. */
  get ends(): readonly number[] {
    return this.#ends
  }

  /** Forgets what only the writer can know, as another writes now. */
  rest(): void {
    this.#steadySince = undefined
    this.#counted = undefined
    this.#ends = []
  }

  /** Brings everything to what is due, once. Writes that met another's are read again, a few times. */
  async pass(): Promise<Outage | undefined> {
    let rival: string | undefined
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      try {
        await this.#round()
        return undefined
      } catch (error) {
        if (!(error instanceof RoundEnded)) throw error
        this.#steadySince = undefined
        if (error.why === 'lost') return undefined
        if (error.why !== 'again') return error.why
        rival = error.object
      }
    }
    return new Outage(
      `${rival ?? this.#dependencies.config.caSecret} was written by somebody else each time that it was to be brought up to ` +
        'date: its managedFields tell by whom',
    )
  }

  /** @throws RoundEnded */
  async #round(): Promise<void> {
    const { config, clock } = this.#dependencies
    const { data, resourceVersion } = await readKept(this.#dependencies.objects, config.caSecret)
    const authority = readAuthority(data)
    if (authority === 'unusable') {
      outage(
        `the Secret ${config.caSecret} holds no CA that can be used (a certificate of a CA and its key, of the curve P-256): ` +
          'restore it, or empty it, and a new CA is made, which running pods will not trust',
      )
    }
    const advance = async (to: Authority, what: string): Promise<never> => {
      await writeKept(this.#dependencies, config.caSecret, writeAuthority(to), resourceVersion)
      this.#counted = undefined
      const until = to.signing.certificate.validToDate.toISOString()
      this.#dependencies.log.info(what, { secret: config.caSecret, until })
      throw new RoundEnded('again')
    }
    if (authority === 'empty') {
      return advance({ signing: await makeCa(this.#dependencies) }, 'a CA was made')
    }
    const go = async (steadyMs: number, podsBefore?: number): Promise<void> => {
      const step = authorityStep(authority, { now: clock.wall(), steadyMs, podsBefore })
      if (step) return advance(await this.#after(authority, step), SAID[step])
    }
    // First what waits for nothing, lest leaves be made that do not outlive the round.
    await go(0)
    const { wrote, ends } = await bringInStep(authority, this.#dependencies)
    this.#ends = [...ends, endOf(authority.signing.certificate)]
    if (wrote) this.#steadySince = undefined
    this.#steadySince ??= clock.monotonic()
    const steadyMs = clock.monotonic() - this.#steadySince
    await go(steadyMs)
    await go(steadyMs, await this.#count(authority, steadyMs))
  }

  async #after(authority: Authority, step: AuthorityStep): Promise<Authority> {
    const { signing, next } = authority
    if (step === 'replace_future') return { signing: await makeCa(this.#dependencies) }
    if (step === 'drop_future') return { signing }
    if (step === 'make_next') return { signing, next: await makeCa(this.#dependencies) }
    if (step === 'retire_old' || !next) return { signing }
    const { certificate, certPem } = signing
    return { signing: next, old: { certificate, certPem } }
  }

  /** Counts the pods where it is time to. Undefined: not now. */
  async #count(authority: Authority, steadyMs: number): Promise<number | undefined> {
    const now = this.#dependencies.clock.monotonic()
    const deciding = authority.next !== undefined && steadyMs >= SETTLED_MS
    const every = deciding ? COUNT_EVERY_MS_IN_CHANGE : COUNT_EVERY_MS
    if (this.#counted && now - this.#counted.at < every) return undefined
    const pods = given(await this.#dependencies.objects.podsTrusting())
    const counted = countPods(authority, pods)
    this.#counted = { at: now, ...counted }
    return counted.before
  }
}

const SAID: Readonly<Record<AuthorityStep, string>> = {
  replace_future:
    'the CA began in the future, as a clock that was wrong had made it; another was made in its place',
  drop_future: 'the CA that was to follow began in the future; it is made anew',
  make_next: 'the CA that is to follow was made; pods are given both from now on',
  switch: 'every pod trusts the following CA; it signs from now on',
  switch_anyway: 'the CA is about to end; the following one signs from now on, whatever pods trust',
  retire_old: 'the CA before is no longer trusted',
}
