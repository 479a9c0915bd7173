import { resolve } from 'node:path'
import { systemClock } from '../platform/clock.ts'
import { systemFiles } from '../platform/files.ts'
import { nodeHttpClient } from '../platform/http_client.ts'
import { brokerCaller, type BrokerCaller } from './broker_caller.ts'
import { placeOf, type BrokerPlace, type PlaceOptions } from './broker_place.ts'
import { variable } from './environment.ts'
import type { Io } from './io.ts'

interface ShownOptions {
  readonly 'proof-file': string | undefined
  readonly 'ca-file': string | undefined
}

/**
 * The broker that the command line and the environment name.
 * @throws UsageFault, OperatorFault
 */
export async function calledBroker(
  given: PlaceOptions & ShownOptions,
  io: Io,
): Promise<BrokerCaller> {
  return callerAt(await placeOf(given, io), given, io)
}

/** The broker at a place. No proxy of the environment is ever asked: it would be handed tokens. */
export function callerAt(place: BrokerPlace, given: ShownOptions, io: Io): BrokerCaller {
  const at = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : resolve(io.workingFolder, file)
  return brokerCaller({
    place,
    proofFile: at(given['proof-file'] ?? proofAround(place, io)),
    caFile: at(given['ca-file']),
    http: nodeHttpClient(systemClock, {}),
    files: systemFiles,
  })
}

/**
 * The variable is also a sidecar's own setting. There the broker reads that file itself, and whatever else listens on the
 * loopback of the pod has no business with it: only over TLS, to a node broker, is it shown unasked.
 */
function proofAround({ url }: BrokerPlace, io: Io): string | undefined {
  return url.protocol === 'https:' ? variable('LUMO_PROOF_FILE', io) : undefined
}
