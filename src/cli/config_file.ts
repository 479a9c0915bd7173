import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { DocumentFault, showFault } from '../config/document.ts'
import { loadConfig } from '../config/load.ts'
import { systemFiles } from '../platform/files.ts'
import type { Io } from './io.ts'

export const MAX_CONFIG_BYTES = 4_194_304

/**
 * Reads and loads a configuration. Faults are named with the file that they are in.
 * @throws FileFault, DocumentFault
 */
export async function readConfig(file: string, io: Io): Promise<Config> {
  const text = await systemFiles.read(resolve(io.workingFolder, file), MAX_CONFIG_BYTES)
  try {
    return loadConfig(text.toString('utf8'), io.environment)
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    const faults = error.faults.map((fault) => ({
      path: '',
      message: `${file}: ${showFault(fault)}`,
    }))
    throw new DocumentFault(faults)
  }
}
