import { X509Certificate } from 'node:crypto'
import { OperatorFault } from '../platform/operator_fault.ts'
import { Watched } from '../platform/watched.ts'
import type { Surroundings } from './surroundings.ts'

const MAX_BYTES = 1_048_576

/**
 * PEM certificates to trust, followed. `setting`: what the operator is told that the fault is in.
 * @throws OperatorFault
 */
export async function openCaFile(
  file: string,
  { what, setting }: { readonly what: string; readonly setting: string },
  surroundings: Surroundings,
): Promise<Watched<string>> {
  try {
    return await Watched.open(
      {
        what,
        paths: [file],
        maxBytes: MAX_BYTES,
        parse: ([content]) => pemIn(content?.bytes.toString('utf8') ?? '', file),
      },
      surroundings,
    )
  } catch (error) {
    if (!(error instanceof OperatorFault)) throw error
    throw new OperatorFault(`${setting}: ${error.message}`)
  }
}

function pemIn(text: string, file: string): string {
  try {
    new X509Certificate(text)
  } catch {
    throw new OperatorFault(`${file} holds no PEM certificate`)
  }
  return text
}
