import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { placesFrom } from './world/places.ts'
import { startWorld, type World } from './world/world.ts'

/** All others come behind it. */
const LAST_FIRST_PORT = 65_000

try {
  await run()
} catch (error) {
  process.stderr.write(`examples: ${error instanceof Error ? error.message : 'unknown'}\n`)
  process.exitCode = 1
}

/** Starts the world of the examples, and ends it when asked to. */
async function run(): Promise<void> {
  const asked = new Promise<void>((stop) => {
    process.once('SIGINT', stop).once('SIGTERM', stop)
  })
  const options = {
    state: { type: 'string', default: '.lumo/examples' },
    'first-port': { type: 'string', default: '9170' },
  } as const
  const { state, 'first-port': firstPort } = parseArgs({ options }).values
  const first = Number(firstPort)
  if (!Number.isInteger(first) || first < 1 || first > LAST_FIRST_PORT) {
    throw new Error(`--first-port must be a port, ${String(LAST_FIRST_PORT)} at most`)
  }
  const folder = resolve(state)
  const world = await startWorld(folder, placesFrom(first))
  process.stdout.write(welcome(world, relative('.', folder)))
  await asked
  await world.stop()
}

function welcome({ signIn, accountUrl }: World, folder: string): string {
  return `
The world of the examples is ready.

Sign in with a browser as ${signIn.email}, with the password ${signIn.password}:

  ${signIn.url}

Your token then lies in ${folder}/user-token, for the agents that act for you.
This page shows what acts for you, and asks you when an agent wants to:

  ${accountUrl}

Ctrl-C ends it.
`
}
