import { chmodSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

/**
 * `npm run build`: the program as one file per role and command in `dist/`, libraries bundled in, so that a process reads
 * only what its role needs. `npm run build -- FOLDER` writes another folder, whose content is lost.
 */
const [outdir = 'dist'] = process.argv.slice(2)
rmSync(outdir, { recursive: true, force: true })
await build({
  entryPoints: ['src/main.ts'],
  outdir,
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
chmodSync(`${outdir}/main.js`, 0o755)
