import { X509Certificate } from 'node:crypto'
import type { BrokerError } from '../broker/errors.ts'
import { GetToken } from '../broker/get_token.ts'
import { hostAllowList } from '../broker/guards.ts'
import { brokerListener } from '../broker/listener.ts'
import { proofFile, type ProofSource } from '../broker/proof.ts'
import { RateLimit } from '../broker/rate_limit.ts'
import type { Servable } from '../broker/servable.ts'
import { warmUp } from '../broker/warm_up.ts'
import { TokenCache } from '../cache/token_cache.ts'
import type { BrokerConfig, RemoteAuthorityConfig } from '../config/config.ts'
import type { Exchanger } from '../exchange/exchanger.ts'
import { inProcessExchanger, type LocalTokenEndpoint } from '../exchange/in_process.ts'
import { remoteExchanger } from '../exchange/remote.ts'
import { handlerOf, listen } from '../platform/listen.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { Watched } from '../platform/watched.ts'
import type { Surroundings } from './surroundings.ts'

const MAX_CA_BYTES = 1_048_576
const MAX_FLIGHTS = 1_000

/** The role `broker`, running. */
export interface RunningBroker {
  readonly addresses: readonly string[]
  /** True once a first token was had. */
  hasToken(): boolean
  /** Resolves with a sentence when a sidecar has nothing left to try. */
  readonly givenUp: Promise<string>
  /** Forgets every token. */
  forget(): void
  stop(graceMs: number): Promise<void>
}

/** What there is in the same process to exchange with. */
export interface LocalAuthority {
  readonly token: LocalTokenEndpoint
}

/**
 * Wires what a pod meets on localhost, and listens.
 * @throws OperatorFault
 */
export async function startBroker(
  config: BrokerConfig,
  local: LocalAuthority | undefined,
  surroundings: Surroundings,
): Promise<RunningBroker> {
  const { clock, metrics } = surroundings
  const ca =
    config.remote?.caFile === undefined
      ? undefined
      : await openCa(config.remote.caFile, surroundings)
  const proofs = await proofsOf(config, surroundings)
  const cache = new TokenCache<Servable, BrokerError>(config.maxEntries, clock)
  metrics.observe('cacheEntries', {}, () => cache.size)
  const getToken = new GetToken({
    tenant: config.tenant,
    proofs,
    cache,
    exchanger: exchangerOf(config, local, () => ca?.current(), surroundings),
    maxFlights: MAX_FLIGHTS,
    ...surroundings,
  })
  let hosts: ReadonlySet<string> = new Set()
  const app = brokerListener({
    getToken,
    proofs,
    hosts: () => hosts,
    rateLimit: new RateLimit(config.rateLimit, clock),
    ...surroundings,
  })
  await app.ready()
  const listening = await listen(
    { role: 'broker', handler: handlerOf(app), addresses: config.listen },
    clock,
  )
  hosts = hostAllowList(listening.addresses, config.hosts)
  const warming = warmUp(getToken, clock)
  return {
    addresses: listening.addresses,
    hasToken: () => warming.done(),
    givenUp: config.remote ? warming.refused.then(lastSentence) : new Promise(() => {}),
    forget: () => {
      cache.clear()
    },
    stop: async (graceMs) => {
      warming.stop()
      await listening.close(graceMs)
      ca?.stop()
      await app.close()
    },
  }
}

async function proofsOf(
  { proof, proofAudience }: BrokerConfig,
  surroundings: Surroundings,
): Promise<ProofSource> {
  if (proof.from === 'file') return proofFile(proof.file, proofAudience, surroundings)
  const { awsProofs } = await import('./aws_credentials.ts')
  return awsProofs(proof, proofAudience, surroundings)
}

function lastSentence({ error }: BrokerError): string {
  return `the authority refuses a token to this workload (${error}): does its trust policy have an agent for this namespace and service account, does it have a provider for the proof's issuer and audience, and is broker.authority.tenant right? The authority's log has the reason`
}

function exchangerOf(
  { tenant, remote }: BrokerConfig,
  local: LocalAuthority | undefined,
  ca: () => string | undefined,
  { http }: Surroundings,
): Exchanger {
  if (remote) return remoteExchanger({ ...remote, ca }, http)
  if (local) return inProcessExchanger(tenant, local.token)
  throw new Error('a broker without an authority passed the configuration')
}

function openCa(
  file: NonNullable<RemoteAuthorityConfig['caFile']>,
  surroundings: Surroundings,
): Promise<Watched<string>> {
  return Watched.open(
    {
      what: 'ca',
      paths: [file],
      maxBytes: MAX_CA_BYTES,
      parse: ([content]) => {
        const pem = content?.bytes.toString('utf8') ?? ''
        try {
          new X509Certificate(pem)
        } catch {
          throw new OperatorFault(`${file} holds no PEM certificate`)
        }
        return pem
      },
    },
    surroundings,
  )
}
