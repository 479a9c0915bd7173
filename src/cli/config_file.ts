import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { DocumentFault, showFault } from '../config/document.ts'
import { loadConfig } from '../config/load.ts'
import { systemFiles } from '../platform/files.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import type { Io } from './io.ts'

export const MAX_CONFIG_BYTES = 4_194_304

/** Before the name of a variable that holds the whole configuration: a pod may have no file of its own to mount. */
const FROM_VARIABLE = 'env:'

/**
 * Reads and loads a configuration: of a file, or `env:NAME`. Faults are named with the file that they are in.
 * @throws FileFault, OperatorFault, DocumentFault
 */
export async function readConfig(file: string, io: Io): Promise<Config> {
  const text = await configText(file, io)
  try {
    return loadConfig(text, io.environment)
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    const faults = error.faults.map((fault) => ({
      path: '',
      message: `${file}: ${showFault(fault)}`,
    }))
    throw new DocumentFault(faults)
  }
}

/**
 * The text of a configuration: of a file, or `env:NAME`.
 * @throws FileFault, OperatorFault
 */
export async function configText(file: string, io: Io): Promise<string> {
  if (!file.startsWith(FROM_VARIABLE)) {
    const bytes = await systemFiles.read(resolve(io.workingFolder, file), MAX_CONFIG_BYTES)
    return bytes.toString('utf8')
  }
  const name = file.slice(FROM_VARIABLE.length)
  const text = io.environment[name] ?? ''
  if (text === '') throw new OperatorFault(`the variable ${name} holds no configuration`)
  return text
}
