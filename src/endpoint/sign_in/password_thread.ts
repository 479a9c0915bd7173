import { Worker } from 'node:worker_threads'

/** What is to be derived (RFC 9106). */
export interface Derivation {
  readonly message: Uint8Array
  readonly nonce: Uint8Array
  /** KiB. */
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly tagLength: number
}

interface Waiting {
  readonly resolve: (tag: Buffer) => void
  readonly reject: (error: Error) => void
}

/** Behind the other threads, in steps of nice(1): where these want a whole core, a tenth of it is left to hashes, so that people can still sign in. */
const STEPS_BACK = 10
/**
 * Why not `argon2` with a callback: that takes a thread of Node's pool, with the same priority as the thread that answers and the
 * threads that sign tokens. Where they share a core, tokens wait for hashes. Linux gives a priority to each thread
 * (setpriority(2)); elsewhere all have the same. A text, for a build that makes few files of many has none that a thread could
 * start from.
 */
const program = `
const { argon2Sync } = require('node:crypto')
const { readlinkSync } = require('node:fs')
const { getPriority, setPriority } = require('node:os')
const { parentPort } = require('node:worker_threads')
try {
  const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
  setPriority(thread, Math.min(getPriority(thread) + ${String(STEPS_BACK)}, 19))
} catch {}
parentPort.on('message', (derivation) => {
  try {
    parentPort.postMessage({ tag: argon2Sync('argon2id', derivation) })
  } catch (error) {
    parentPort.postMessage({ fault: String(error) })
  }
})
`
const HEAP_MB = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 }

/** A thread that derives argon2id tags, one after the other, and lets all others go first. It starts with the first tag. */
export class PasswordThread {
  readonly #waiting: Waiting[] = []
  #worker: Worker | undefined

  /** Those that have not been answered. */
  get pending(): number {
    return this.#waiting.length
  }

  derive(derivation: Derivation): Promise<Buffer> {
    const worker = (this.#worker ??= this.#start())
    // A command of the CLI waits for its hash, and ends when it has it.
    worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      worker.postMessage(derivation, [])
    })
  }

  #start(): Worker {
    const worker = new Worker(program, { eval: true, resourceLimits: HEAP_MB, execArgv: [] })
    worker.on('message', ({ tag, fault }: { tag?: Uint8Array; fault?: string }) => {
      const next = this.#waiting.shift()
      if (this.#waiting.length === 0) worker.unref()
      if (tag) next?.resolve(Buffer.from(tag))
      else next?.reject(new Error(fault ?? 'no tag'))
    })
    worker.on('error', (error: Error) => {
      this.#end(worker, error)
    })
    worker.on('exit', () => {
      this.#end(worker, new Error('the thread that hashes passwords ended'))
    })
    return worker
  }

  /** Nobody waits for a thread that is gone; the next to ask gets a new one. */
  #end(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
