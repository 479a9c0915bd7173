import type { BrokerConfig, Config } from '../config/config.ts'
import { DocumentFault, showFault } from '../config/document.ts'
import { FileFault } from '../platform/files.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { failed, ok, type Finding } from './finding.ts'

export interface Loaded {
  readonly finding: Finding
  /** Of a configuration that has a broker and no faults. */
  readonly config: (Config & { readonly broker: BrokerConfig }) | undefined
}

/** Link 1: does the configuration load, and does it have a broker? `file` is its name. */
export async function loadedConfiguration(
  file: string,
  load: () => Promise<Config>,
): Promise<Loaded> {
  try {
    const config = await load()
    const { broker } = config
    if (broker)
      return { finding: ok('configuration', summary(file, broker)), config: { ...config, broker } }
    const advice = 'give doctor the configuration of a broker: it follows the path of its tokens'
    return { finding: failed('configuration', `${file} has no broker`, advice), config: undefined }
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error
    return { finding: faultOf(file, error), config: undefined }
  }
}

function faultOf(file: string, error: OperatorFault): Finding {
  if (error instanceof FileFault) {
    return failed('configuration', error.message, 'is the ConfigMap mounted there?')
  }
  const sentences = error instanceof DocumentFault ? error.faults.map(showFault) : [error.message]
  const advice = `mend that; lumo-broker config check ${file} reads it in the same way`
  return failed('configuration', sentences.join('; '), advice)
}

function summary(file: string, { tenant, remote, proof }: BrokerConfig): string {
  const where = remote ? `at ${remote.origin.origin}` : 'in the same process'
  return `${file}: tenant ${tenant} ${where}, proof from ${proof.from === 'file' ? proof.file : proof.from}`
}
