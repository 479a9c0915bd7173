import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { startApplication, systemSurroundings } from '../compose/application.ts'
import type { Config } from '../config/config.ts'
import { DocumentFault, showFault } from '../config/document.ts'
import { loadConfig } from '../config/load.ts'
import { openLog } from '../ops/log.ts'
import { systemFiles } from '../platform/files.ts'
import type { ExitCode, Io } from './io.ts'
import { options } from './options.ts'

export const MAX_CONFIG_BYTES = 4_194_304

/** `lumo-broker run --config FILE`: the roles of a configuration, until the process is asked to end. */
export async function run(io: Io): Promise<ExitCode> {
  const { config: file } = options(io.arguments, { config: 'required' })
  const text = await systemFiles.read(resolve(io.workingFolder, file), MAX_CONFIG_BYTES)
  const config = loadNamed(file, text.toString('utf8'), io)
  const log = await openLog(config.log, io.stdout)
  const application = await startApplication(config, systemSurroundings(log, io.environment))
  for (const [role, addresses] of Object.entries(application.addresses)) {
    for (const address of addresses) log.info('listening', { role, address })
  }
  const sentence = await Promise.race([io.asked, application.givenUp])
  if (sentence === undefined) log.info('stopping')
  else {
    log.error(sentence)
    await leaveTerminationMessage(config.broker?.terminationMessageFile, sentence)
  }
  await application.stop()
  return sentence === undefined ? 0 : 1
}

/** Faults are named with the file that they are in. */
function loadNamed(file: string, text: string, { environment }: Io): Config {
  try {
    return loadConfig(text, environment)
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    const faults = error.faults.map((fault) => ({
      path: '',
      message: `${file}: ${showFault(fault)}`,
    }))
    throw new DocumentFault(faults)
  }
}

/** Writes to the file that the kubelet made for it; where there is none, there is no kubelet to read it. */
async function leaveTerminationMessage(file: string | undefined, sentence: string): Promise<void> {
  if (file === undefined) return
  await writeFile(file, `${sentence}\n`, { flag: 'r+' }).catch(() => undefined)
}
