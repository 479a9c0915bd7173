import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { startApplication, systemSurroundings } from '../../src/compose/application.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { openLog } from '../../src/ops/log.ts'

const START_PATIENCE_MS = 15_000
const LOOK_EVERY_MS = 20

/**
 * What `lumo-broker run --config FILE` runs, here within one process, for this machine's sake. Its log goes to a file beside the
 * configuration. Gives what stops it.
 * @throws Error when it has not started in time
 */
export async function startProgram(configFile: string): Promise<() => Promise<void>> {
  const logFile = configFile.replace(/\.json$/, '.log')
  const stream = createWriteStream(logFile, { mode: 0o600 })
  const log = await openLog(
    { level: 'info', format: 'json' },
    { isTTY: false, write: (text) => stream.write(text) },
  )
  const document = JSON.parse(await readFile(configFile, 'utf8')) as object
  const application = await startApplication(
    resolveConfig(document, {}),
    systemSurroundings(log, {}),
  )
  const stop = async (): Promise<void> => {
    await application.stop()
    stream.end()
  }
  const giveUpAt = performance.now() + START_PATIENCE_MS
  while (!application.started()) {
    if (performance.now() > giveUpAt) {
      await stop()
      throw new Error(`an agent has no token yet: ${logFile} says why`)
    }
    await pause(LOOK_EVERY_MS)
  }
  return stop
}
