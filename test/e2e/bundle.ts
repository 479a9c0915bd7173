import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A program of this folder with all that it imports, as one module for a pod. */
export async function bundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    minify: true,
  })
  return outputFiles[0]?.text ?? ''
}
