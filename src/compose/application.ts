import type { AuthorityConfig, BrokerConfig, Config } from '../config/config.ts'
import type { WebhookConfig } from '../config/webhook.ts'
import { operationsListener, type Probes } from '../ops/listener.ts'
import { PrometheusMetrics } from '../ops/metrics.ts'
import { systemClock } from '../platform/clock.ts'
import { systemFiles } from '../platform/files.ts'
import { nodeHttpClient } from '../platform/http_client.ts'
import { handlerOf, listen } from '../platform/listen.ts'
import type { Log } from '../platform/log.ts'
import { proxyEnvironment } from '../platform/proxy.ts'
import { systemRandom } from '../platform/random.ts'
import type { RunningAuthority } from './authority.ts'
import type { RunningBroker } from './broker.ts'
import type { RunningWebhook } from './webhook.ts'
import type { Surroundings } from './surroundings.ts'

/** For what a request in an authority needs. */
const GRACE_MS = 5_000
/** Of one address: a kubelet and a Prometheus hold one or two each. */
const MAX_OPERATIONS_CONNECTIONS = 64

/** The program, running in the roles of its configuration. */
export interface Application {
  readonly addresses: {
    readonly authority: readonly string[]
    readonly broker: readonly string[]
    readonly proxy: readonly string[]
    readonly authorization: readonly string[]
    readonly webhook: readonly string[]
    readonly operations: readonly string[]
  }
  /** As the start-up probe: in a broker, whether a first token was had. */
  started(): boolean
  /** Resolves with a sentence when there is nothing left to try. */
  readonly givenUp: Promise<string>
  stop(): Promise<void>
}

/** The real world around the program. */
export function systemSurroundings(
  log: Log,
  environment: Readonly<Record<string, string | undefined>>,
): Surroundings {
  return {
    clock: systemClock,
    random: systemRandom,
    files: systemFiles,
    http: nodeHttpClient(systemClock, proxyEnvironment(environment)),
    proxyEnv: proxyEnvironment(environment),
    log,
    metrics: new PrometheusMetrics(),
  }
}

/**
 * Starts the roles of a configuration, the authority before the broker that needs it. A role's code is loaded only where the
 * role runs: a sidecar holds no line of the authority. `asked`: resolves when the process is asked to end, also while it
 * starts.
 * @throws OperatorFault when something cannot start; what had started is stopped again
 */
export async function startApplication(
  config: Config,
  surroundings: Surroundings,
  asked: Promise<unknown> = new Promise(() => {}),
): Promise<Application> {
  const running: { stop(graceMs: number): Promise<void> }[] = []
  const keep = <Part extends (typeof running)[number]>(part: Part): Part => {
    running.push(part)
    return part
  }
  const graceMs = config.broker?.shutdown.graceMs ?? GRACE_MS
  const stop = async (): Promise<void> => {
    for (const part of running.toReversed()) await part.stop(graceMs)
  }
  const drainDelayMs = Math.max(
    config.broker?.shutdown.drainDelayMs ?? 0,
    config.authority?.drainDelayMs ?? 0,
    config.webhook?.drainDelayMs ?? 0,
  )
  let broker: RunningBroker | undefined
  let webhook: RunningWebhook | undefined
  let ready = false
  const started = (): boolean => ready && (broker?.hasToken() ?? true)
  try {
    // First, for it needs nothing: a port that is taken is said before anything else has begun.
    const probes = { ready: () => ready && (webhook?.isReady() ?? true), started }
    const openapi = async (): Promise<string> => {
      const { describeApi } = await import('./openapi.ts')
      return describeApi(config, { broker: broker?.addresses ?? [] })
    }
    const operations = keep(await startOperations(config, surroundings, probes, openapi))
    const authority = config.authority && keep(await loadAuthority(config.authority, surroundings))
    if (config.broker) {
      const { tenant } = config.broker
      broker = keep(await loadBroker(config.broker, authority, surroundings))
      authority?.onPolicyChange(tenant, () => {
        broker?.forget()
      })
    }
    if (config.webhook) webhook = keep(await loadWebhook(config.webhook, surroundings, asked))
    ready = webhook?.addresses.length !== 0
    return {
      addresses: {
        authority: authority?.addresses ?? [],
        broker: broker?.addresses ?? [],
        proxy: broker?.proxyAddresses ?? [],
        authorization: broker?.authorizationAddresses ?? [],
        webhook: webhook?.addresses ?? [],
        operations: operations.addresses,
      },
      started,
      givenUp: broker?.givenUp ?? new Promise(() => {}),
      stop: async () => {
        // Endpoints of a Service go on being used for a while after the pod was told to end: it stays ready meanwhile.
        if (ready && drainDelayMs > 0) {
          await new Promise<void>((resume) => surroundings.clock.after(drainDelayMs, resume))
        }
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function loadAuthority(
  config: AuthorityConfig,
  surroundings: Surroundings,
): Promise<RunningAuthority> {
  const { startAuthority } = await import('./authority.ts')
  return startAuthority(config, surroundings)
}

async function loadBroker(
  config: BrokerConfig,
  authority: RunningAuthority | undefined,
  surroundings: Surroundings,
): Promise<RunningBroker> {
  const { startBroker } = await import('./broker.ts')
  return startBroker(config, authority, surroundings)
}

async function loadWebhook(
  config: WebhookConfig,
  surroundings: Surroundings,
  asked: Promise<unknown>,
): Promise<RunningWebhook> {
  const { startWebhook } = await import('./webhook.ts')
  return startWebhook(config, surroundings, asked)
}

async function startOperations(
  config: Config,
  { clock, metrics }: Surroundings,
  probes: Probes,
  openapi: () => Promise<string>,
) {
  const app = operationsListener(metrics, probes, openapi)
  await app.ready()
  const listening = await listen(
    {
      role: 'operations listener',
      handler: handlerOf(app),
      addresses: [config.operations.listen],
      maxPerAddress: MAX_OPERATIONS_CONNECTIONS,
    },
    clock,
  )
  return {
    addresses: listening.addresses,
    stop: async (graceMs: number): Promise<void> => {
      await listening.close(graceMs)
      await app.close()
    },
  }
}
