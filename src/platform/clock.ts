/** Time as the program sees it. Two clocks, because a wall clock jumps: what expires is judged by both. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  wall(): number
  /** Milliseconds since some fixed moment; never goes back, never jumps. */
  monotonic(): number
  /** Runs `run` once, `ms` from now, without keeping the process alive. Returns what cancels it. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    timer.unref()
    return () => {
      clearTimeout(timer)
    }
  },
}

/** A clock whose wall time is off, as that of a badly kept machine. */
export function shiftedClock(clock: Clock, ms: number): Clock {
  return {
    wall: () => clock.wall() + ms,
    monotonic: () => clock.monotonic(),
    after: (delay, run) => clock.after(delay, run),
  }
}

/** Runs some work again and again, each time so long after it ended. Returns what ends that. The work must not reject. */
export function repeatedly(clock: Clock, everyMs: number, work: () => Promise<void>): () => void {
  let stopped = false
  let cancel = (): void => {}
  const schedule = (): void => {
    if (stopped) return
    cancel = clock.after(everyMs, () => {
      void work().finally(schedule)
    })
  }
  schedule()
  return () => {
    stopped = true
    cancel()
  }
}

/** Waits for some work, and not longer than `ms`: then for what `late` gives. The work goes on all the same. */
export function within<Result>(
  clock: Clock,
  ms: number,
  work: Promise<Result>,
  late: () => Result,
): Promise<Result> {
  let stopClock = (): void => {}
  const patience = new Promise<Result>((resolve) => {
    stopClock = clock.after(ms, () => {
      resolve(late())
    })
  })
  return Promise.race([work, patience]).finally(stopClock)
}

/** Unix time in whole seconds, as JWT NumericDates are (RFC 7519 section 2). */
export function unixSeconds(clock: Clock): number {
  return Math.floor(clock.wall() / 1000)
}
