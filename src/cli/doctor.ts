import { resolve } from 'node:path'
import type { LocalBroker } from '../doctor/broker.ts'
import { examine, type Patient } from '../doctor/examine.ts'
import { firstToMend, type Finding } from '../doctor/finding.ts'
import { systemWorld } from '../doctor/world.ts'
import { parseScope } from '../oauth/scope.ts'
import { NotServed, showPlace, type BrokerCaller } from './broker_caller.ts'
import { namedPlace, placeRules, type BrokerPlace } from './broker_place.ts'
import { callerAt } from './called_broker.ts'
import { readConfig } from './config_file.ts'
import { originOf, placeOfBroker } from './configured_place.ts'
import { configFileOf } from './environment.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'
import { options } from './options.ts'
import { wishOf, wishRules, type TokenWish, type WishOptions } from './token_wish.ts'

/** `lumo-broker doctor --config FILE`: each link of the path of a token, and the one thing to do first. */
export async function doctor(io: Io): Promise<ExitCode> {
  const given = options(io.arguments, { ...placeRules, ...wishRules, json: 'flag' })
  if (given.url !== undefined && given.socket !== undefined) {
    throw new UsageFault('--url and --socket exclude one another')
  }
  const wish = wishOf(given)
  const file = configFileOf(given.config, io)
  const named = namedPlace(given)
  const proofFile = given['proof-file']
  const patient: Patient = {
    file,
    load: () => readConfig(file, io),
    target: targetOf(given),
    proofFile: proofFile === undefined ? undefined : resolve(io.workingFolder, proofFile),
    running: ({ broker, operations }) => {
      // What its certificate is made for is no address of this machine, unless there is a CA that says otherwise.
      const unnamed = broker.tls && given['ca-file'] === undefined
      const place = named ?? (unnamed ? undefined : placeOfBroker(broker))
      return {
        local: place && localBroker(callerAt(place, given, io), place, wish),
        operations: originOf(operations.listen, 'http'),
      }
    },
  }
  const findings = await examine(patient, systemWorld(io.environment))
  const first = firstToMend(findings)
  io.stdout.write(given.json ? asJson(findings, first) : asText(findings, first))
  return first ? 1 : 0
}

function localBroker(caller: BrokerCaller, place: BrokerPlace, wish: TokenWish): LocalBroker {
  return {
    where: showPlace(place),
    identity: async () => {
      const answer = await caller.identity()
      return answer instanceof NotServed ? answer : { said: answer }
    },
    token: async () => {
      const answer = await caller.token(wish)
      return answer instanceof NotServed ? answer : { said: answer.body }
    },
  }
}

/** @throws UsageFault */
function targetOf(given: WishOptions): Patient['target'] {
  const scope = given.scope === undefined ? undefined : parseScope(given.scope)
  if (given.scope !== undefined && !scope) throw new UsageFault('--scope is not well-formed')
  return {
    audiences: given.audience,
    resources: given.resource,
    scope,
    clientId: given.agent,
  }
}

function asText(findings: readonly Finding[], first: Finding | undefined): string {
  const lines = findings.map((finding) => {
    const { link, state, detail } = finding
    const advice = finding.state === 'failed' ? `; ${finding.advice}` : ''
    return `${state.padEnd(8)}${link}: ${detail}${advice}`
  })
  const last =
    first?.state === 'failed' ? `do first: ${first.link}: ${first.advice}` : 'nothing is broken'
  return [...lines, last, ''].join('\n')
}

function asJson(findings: readonly Finding[], first: Finding | undefined): string {
  const report = {
    ok: first === undefined,
    links: findings.map(asSaid),
    first: first ? asSaid(first) : null,
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

/** What it suspects serves to find the first, and says nothing of its own. */
function asSaid(finding: Finding): object {
  const { link, state, detail } = finding
  return finding.state === 'failed' ? { link, state, detail, advice: finding.advice } : finding
}
