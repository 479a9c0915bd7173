import { chmodSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

/**
 * `npm run build`: the program as one file per role and command in `dist/`, libraries bundled in, so that a process reads
 * only what its role needs.
 */
rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  chunkNames: 'chunks/[name]-[hash]',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  // Libraries in CommonJS ask for built-in modules by require, which a bundle in ESM does not have.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
})
chmodSync('dist/main.js', 0o755)
