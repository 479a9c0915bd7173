import { WriteFault, type FileAccess, type WritableFiles } from '../../src/platform/written_file.ts'

export interface WrittenFile extends FileAccess {
  readonly text: string
}

/** Files in memory that can be replaced and removed, on a volume that can be full, closed, or slow. */
export class FakeWritableFiles implements WritableFiles {
  readonly #files = new Map<string, WrittenFile>()
  /** The groups that this process is in; it may give files to no other. */
  readonly #groups: readonly number[]
  #held: { readonly opens: Promise<void>; readonly open: () => void } | undefined
  /** There is room for nothing more; what lies there can be removed. */
  full = false
  /** The folder may be read and nothing else. */
  forbidden = false
  /** Which files were swept for, in order. */
  readonly swept: string[] = []

  constructor(groups: readonly number[] = []) {
    this.#groups = groups
  }

  /** Puts there what an earlier run left, or somebody else. */
  leave(path: string, text: string): void {
    this.#files.set(path, { text, mode: 0o600, group: undefined })
  }

  at(path: string): WrittenFile | undefined {
    return this.#files.get(path)
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()]
  }

  /** Whatever is begun from now on takes until `release`. */
  hold(): void {
    const { promise: opens, resolve: open } = Promise.withResolvers<void>()
    this.#held = { opens, open }
  }

  release(): void {
    this.#held?.open()
    this.#held = undefined
  }

  async replace(path: string, bytes: Uint8Array, { mode, group }: FileAccess): Promise<void> {
    await this.#held?.opens
    if (this.forbidden) throw new WriteFault(path, 'EACCES', 'open')
    if (group !== undefined && !this.#groups.includes(group)) {
      throw new WriteFault(path, 'EPERM', 'fchown')
    }
    if (this.full) throw new WriteFault(path, 'ENOSPC', 'write')
    this.#files.set(path, { text: Buffer.from(bytes).toString(), mode, group })
  }

  async has(path: string): Promise<boolean> {
    await this.#held?.opens
    return this.#files.has(path)
  }

  /** As another program would. */
  take(path: string): void {
    this.#files.delete(path)
  }

  async remove(path: string): Promise<boolean> {
    await this.#held?.opens
    if (!this.#files.has(path)) return false
    if (this.forbidden) throw new WriteFault(path, 'EACCES', 'unlink')
    return this.#files.delete(path)
  }

  async sweep(path: string): Promise<void> {
    await this.#held?.opens
    this.swept.push(path)
    const cut = path.lastIndexOf('/') + 1
    const before = `${path.slice(0, cut)}.${path.slice(cut)}.`
    const leftovers = this.paths.filter(
      (other) => other.startsWith(before) && /^[0-9a-f]{32}\.tmp$/.test(other.slice(before.length)),
    )
    if (leftovers.length > 0 && this.forbidden) throw new WriteFault(path, 'EACCES', 'unlink')
    for (const leftover of leftovers) this.#files.delete(leftover)
  }
}
