// Runs before every npm script, on whatever Node the machine has (20 or later): installs what is missing, so that one
// command is enough after a clone. Plain JavaScript, because that Node may not read TypeScript.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const installedLock = 'node_modules/.package-lock.json'
const packageJson = JSON.parse(readFileSync('package.json', 'utf8'))

if (!isInstalled()) {
  process.stderr.write(
    'Installing what package-lock.json names. This takes about a minute, once.\n',
  )
  // The npm that runs this script, which need not be the first on the PATH.
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const [program, ...args] = [...npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error']
  const result = spawnSync(program, args, { stdio: ['ignore', 2, 2] })
  if (result.status !== 0) fail('npm ci failed; see above')
}
const version = spawnSync('node_modules/.bin/node', ['--version'], { encoding: 'utf8' })
if (version.stdout?.trim() !== `v${packageJson.devDependencies.node}`) {
  fail(
    'the package "node" has no binary, so its install script did not run: allow scripts (npm config get ignore-scripts) and delete node_modules',
  )
}

/** Everything of the lock file is there, in the version that it names; another platform's packages may be absent. */
function isInstalled() {
  if (!existsSync(installedLock)) return false
  const installed = JSON.parse(readFileSync(installedLock, 'utf8')).packages
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || optional || installed[path]?.version === version,
  )
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
