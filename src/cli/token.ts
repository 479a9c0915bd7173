import { OperatorFault } from '../platform/operator_fault.ts'
import { NotServed } from './broker_caller.ts'
import { placeRules } from './broker_place.ts'
import { calledBroker } from './called_broker.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options } from './options.ts'
import { wishOf, wishRules } from './token_wish.ts'

/** `lumo-broker token`: one access token of a running broker, on standard output. */
export async function token(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, {
    ...placeRules,
    ...wishRules,
    header: 'flag',
    json: 'flag',
  })
  if (given.header && given.json) throw new UsageFault('--header and --json exclude one another')
  const wish = wishOf(given)
  const answer = await (await calledBroker(given, io)).token(wish)
  if (answer instanceof NotServed) throw new OperatorFault(answer.sentence)
  const { accessToken, body } = answer
  const shown = given.json
    ? JSON.stringify(body)
    : given.header
      ? `Authorization: Bearer ${accessToken}`
      : accessToken
  io.stdout.write(`${shown}\n`)
  return 0
}
