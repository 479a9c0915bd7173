import type { BrokerConfig, Config } from '../config/config.ts'
import { authorityLink } from './authority.ts'
import { brokerLink, type Kind, type LocalBroker } from './broker.ts'
import { cacheLink } from './cache.ts'
import { claimsLink } from './claims.ts'
import { clockLink } from './clock.ts'
import { loadedConfiguration } from './configuration.ts'
import { linkNames, skipped, type Finding, type LinkName } from './finding.ts'
import { policyLink, type Target } from './policy.ts'
import { probe, type Probe } from './probe.ts'
import { readProof, type ReadProof } from './proof.ts'
import { tlsLink } from './tls.ts'
import { tokenLink } from './token.ts'
import type { World } from './world.ts'

/** What is looked at. */
export interface Patient {
  /** The name of the configuration. */
  readonly file: string
  /** @throws OperatorFault */
  readonly load: () => Promise<Config>
  readonly target: Target
  /** The token of a caller, for a broker that has no proof of its own. */
  readonly proofFile: string | undefined
  /** Where the running broker of a configuration is asked. */
  readonly running: (config: Config & { readonly broker: BrokerConfig }) => {
    readonly local: LocalBroker | undefined
    readonly operations: URL | undefined
  }
}

/**
 * Looks at every link, in order. What depends on a link that failed is skipped. The clock is compared by an answer of the
 * authority, which is therefore asked before.
 */
export async function examine(patient: Patient, world: World): Promise<readonly Finding[]> {
  const { finding, config } = await loadedConfiguration(patient.file, patient.load)
  if (!config) {
    const [, ...rest] = linkNames
    return [finding, ...skipAll(rest, 'the configuration cannot be used')]
  }
  const { broker } = config
  const proof = await readProof(broker.proof, patient.proofFile, world)
  const claims = claimsOf(broker, proof, world)
  const path = await pathTo(broker, { proof, claims, target: patient.target }, world)
  const before = [finding, proof.finding, claims, ...path]
  return [...before, ...(await here(config, patient, before, world))]
}

function skipAll(links: readonly LinkName[], why: string): readonly Finding[] {
  return links.map((link) => skipped(link, why))
}

function claimsOf(broker: BrokerConfig, { finding, jws }: ReadProof, { clock }: World): Finding {
  if (jws) {
    const expected = {
      audience: broker.proofAudience,
      derived: broker.remote !== undefined && broker.proofAudience === broker.issuer,
      podNeeded: broker.proof.from === 'caller',
    }
    return claimsLink(jws.payload, expected, clock)
  }
  const why = finding.state === 'failed' ? 'there is no proof to read them in' : finding.detail
  return skipped('claims', why)
}

interface Shown {
  readonly proof: ReadProof
  readonly claims: Finding
  readonly target: Target
}

/** Links 4 to 8: from here to the authority and back. */
async function pathTo(
  broker: BrokerConfig,
  shown: Shown,
  world: World,
): Promise<readonly Finding[]> {
  const { remote } = broker
  if (!remote) {
    return skipAll(
      ['clock', 'dns', 'tls', 'authority', 'policy'],
      'the authority runs in the same process',
    )
  }
  const reached = await probe(remote, world)
  const authority = authorityLink(broker, remote, reached)
  return [
    clockLink(reached, world.clock),
    reached.dns,
    tlsLink(remote.tokenUrl, reached, world.isProxied(remote.tokenUrl)),
    authority,
    await policyOf(remote, shown, { reached, authority }, world),
  ]
}

async function policyOf(
  remote: NonNullable<BrokerConfig['remote']>,
  { proof: { jws }, claims, target }: Shown,
  { reached, authority }: { readonly reached: Probe; readonly authority: Finding },
  world: World,
): Promise<Finding> {
  if (!jws) return skipped('policy', 'there is no proof to show')
  if (claims.state === 'failed') return skipped('policy', 'the proof would be refused')
  if (authority.state !== 'ok')
    return skipped('policy', 'there is no authority to show the proof to')
  const ca = typeof reached.ca === 'string' ? reached.ca : undefined
  return policyLink(remote, ca, { jws, target }, world)
}

/** Links 9 to 11: the broker that runs here. */
async function here(
  config: Config & { readonly broker: BrokerConfig },
  { running, proofFile }: Patient,
  before: readonly Finding[],
  world: World,
): Promise<readonly Finding[]> {
  const { local, operations } = running(config)
  const shown = proofFile === undefined ? 'not_shown' : 'shown'
  const kind: Kind = {
    callers: config.broker.proof.from === 'caller' ? shown : 'none',
    sinks: config.broker.sinks.length > 0,
    failedBefore: before.some(({ state }) => state === 'failed'),
  }
  const { finding, listens } = await brokerLink(local, operations, kind, world)
  if (!listens) return [finding, ...skipAll(['cache', 'token'], 'the broker does not listen')]
  const cache = operations
    ? await cacheLink(operations, world)
    : skipped('cache', 'the port of operations.listen is open')
  // After the cache: asked before, it would be among what is kept.
  return [finding, cache, await tokenLink(local, kind)]
}
