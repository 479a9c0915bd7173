import { readFileSync } from 'node:fs'

export interface Memory {
  readonly residentMb: number
  /** What of it is the process's own alone. */
  readonly anonymousMb: number
}

/** What a process holds (proc_pid_status(5)), in MiB. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
  const megabytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  return { residentMb: megabytes('VmRSS'), anonymousMb: megabytes('RssAnon') }
}

const TICKS_PER_SECOND = 100

/** Seconds of processor time that a process has used (proc_pid_stat(5): utime and stime). */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
  // The second field is a name, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

export function showMemory({ residentMb, anonymousMb }: Memory): string {
  return `anonymous ${anonymousMb.toFixed(1)} MB, resident ${residentMb.toFixed(1)} MB`
}

/** Seconds for which a core worked, for whomever (proc_stat(5)). */
function busySecondsOf(core: number): number {
  const line = new RegExp(`^cpu${String(core)} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = (line?.[1] ?? '')
    .split(' ')
    .map(Number)
  return (user + nice + system + irq + softIrq + steal) / TICKS_PER_SECOND
}

/** From now on: the share of a core that others than this process took, which is what spoils figures on a shared machine. */
export function watchOthers(core: number, pid: number): () => number {
  const [begun, busy, own] = [performance.now(), busySecondsOf(core), cpuSecondsOf(pid)]
  return () => {
    const others = busySecondsOf(core) - busy - (cpuSecondsOf(pid) - own)
    return Math.max(0, others / ((performance.now() - begun) / 1000))
  }
}

/** Said only where it matters. */
export function showOthers(share: number): string {
  return share < 0.03 ? '' : `   (others took ${(share * 100).toFixed(0)} % of its core)`
}
