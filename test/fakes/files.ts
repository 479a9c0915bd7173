import { FileFault, type Files } from '../../src/platform/files.ts'

/** Files in memory. A folder is whatever its files' paths begin with. */
export class FakeFiles implements Files {
  readonly #files = new Map<string, Buffer | 'unreadable'>()

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(files)) this.write(path, text)
  }

  write(path: string, text: string): void {
    this.#files.set(path, Buffer.from(text))
  }

  remove(path: string): void {
    this.#files.delete(path)
  }

  forbid(path: string): void {
    this.#files.set(path, 'unreadable')
  }

  read(path: string, maxBytes: number): Promise<Buffer> {
    const content = this.#files.get(path)
    if (content === undefined) {
      return Promise.reject(new FileFault('absent', `${path} does not exist`))
    }
    if (content === 'unreadable') {
      return Promise.reject(new FileFault('unreadable', `${path} cannot be read (EACCES)`))
    }
    if (content.length > maxBytes) {
      return Promise.reject(
        new FileFault('too_large', `${path} is longer than ${String(maxBytes)} bytes`),
      )
    }
    return Promise.resolve(content)
  }

  list(path: string): Promise<readonly string[]> {
    if (this.#files.has(path)) return Promise.resolve([path])
    const inside = [...this.#files.keys()].filter((name) => name.startsWith(`${path}/`)).toSorted()
    return inside.length > 0
      ? Promise.resolve(inside)
      : Promise.reject(new FileFault('absent', `${path} does not exist`))
  }
}
