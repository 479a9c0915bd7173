import { approvalConformance } from './conformance/approvals.ts'
import { auditConformance } from './conformance/audit.ts'
import { clientConformance } from './conformance/clients.ts'
import { codeConformance } from './conformance/codes.ts'
import { familyConformance } from './conformance/families.ts'
import { keySetConformance } from './conformance/key_sets.ts'
import { peopleConformance } from './conformance/people.ts'
import { pruneConformance } from './conformance/prune.ts'
import { reservationConformance } from './conformance/reservations.ts'
import { revocationConformance } from './conformance/revocations.ts'
import { signInConformance } from './conformance/sign_ins.ts'
import { signingKeyConformance } from './conformance/signing_keys.ts'
import { userConformance } from './conformance/users.ts'
import { storeTests, type Open } from './conformance/opened.ts'

/** What every store must do, parallel cases included. */
export function storeConformance(name: string, open: Open): void {
  const tests = storeTests(name, open)
  signingKeyConformance(tests)
  keySetConformance(tests)
  clientConformance(tests)
  codeConformance(tests)
  familyConformance(tests)
  revocationConformance(tests)
  reservationConformance(tests)
  userConformance(tests)
  peopleConformance(tests)
  signInConformance(tests)
  approvalConformance(tests)
  auditConformance(tests)
  pruneConformance(tests)
}
