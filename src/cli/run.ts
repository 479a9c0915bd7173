import { writeFile } from 'node:fs/promises'
import { startApplication, systemSurroundings } from '../compose/application.ts'
import { openLog } from '../ops/log.ts'
import { readConfig } from './config_file.ts'
import { configFileOf } from './environment.ts'
import type { ExitCode, Io } from './io.ts'
import { options } from './options.ts'

/** `lumo-broker run --config FILE`: the roles of a configuration, until the process is asked to end. */
export async function run(io: Io): Promise<ExitCode> {
  const { config: file } = options(io.arguments, { config: 'optional' })
  const config = await readConfig(configFileOf(file, io), io)
  const log = await openLog(config.log, io.stdout)
  const surroundings = systemSurroundings(log, io.environment)
  const application = await startApplication(config, surroundings, io.asked)
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

/** Writes to the file that the kubelet made for it; where there is none, there is no kubelet to read it. */
async function leaveTerminationMessage(file: string | undefined, sentence: string): Promise<void> {
  if (file === undefined) return
  await writeFile(file, `${sentence}\n`, { flag: 'r+' }).catch(() => undefined)
}
