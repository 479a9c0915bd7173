import { DocumentFault, tellFault } from '../config/document.ts'
import type { OperatorFault } from '../platform/operator_fault.ts'

/** What the operator has to mend, a sentence each. In a file of its own: most commands never need what reads documents. */
export function sentencesOf(fault: OperatorFault): readonly string[] {
  return fault instanceof DocumentFault ? fault.faults.map(tellFault) : [fault.message]
}
