import { X509Certificate } from 'node:crypto'
import type { CertificatesConfig, TrustConfig, WebhookConfig } from '../config/webhook.ts'
import { handlerOf, listen, type Listening } from '../platform/listen.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { Watched } from '../platform/watched.ts'
import { keepCertificates } from '../webhook/certificates/keep.ts'
import { webhookListener, type Trusted } from '../webhook/listener.ts'
import { openClusterObjects } from './cluster_objects.ts'
import { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'
import { listenWithTls } from './tls.ts'

const MAX_CA_BYTES = 1_048_576
/** API servers hold a few. */
const MAX_CONNECTIONS_PER_ADDRESS = 128

/** The role `webhook`, running. */
export interface RunningWebhook {
  readonly addresses: readonly string[]
  stop(graceMs: number): Promise<void>
}

/**
 * Wires what the API server asks about pods, and listens once there is a certificate: until then nobody could connect.
 * @throws OperatorFault
 */
export async function startWebhook(
  config: WebhookConfig,
  surroundings: Surroundings,
): Promise<RunningWebhook> {
  const opened = new Opened()
  try {
    const listening = await open(config, opened, surroundings)
    return {
      addresses: listening.addresses,
      stop: async (graceMs) => {
        await listening.close(graceMs)
        await opened.close()
      },
    }
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function open(
  config: WebhookConfig,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Listening> {
  const { certificates } = config
  return certificates.from === 'own'
    ? openWithOwn(config, certificates, opened, surroundings)
    : openWithFiles(config, certificates, opened, surroundings)
}

/** Certificates that the webhook keeps itself, in Secrets. */
async function openWithOwn(
  config: WebhookConfig,
  certificates: CertificatesConfig & { readonly from: 'own' },
  opened: Opened,
  surroundings: Surroundings,
): Promise<Listening> {
  const kept = keepCertificates({
    config: certificates,
    objects: await openClusterObjects(certificates, surroundings),
    // Another for each process, also where the name of the pod is not given.
    identity: `${config.podName ?? 'webhook'}_${surroundings.random.uuid()}`,
    ...surroundings,
  })
  opened.add(() => kept.stop())
  await kept.ready
  const pair = kept.tls()
  if (!pair) throw new Error('the certificates were ready without one')
  const listening = await listen(
    { ...(await optionsOf(config, () => kept.caBundle(), opened, surroundings)), tls: pair },
    surroundings.clock,
  )
  kept.onTls((changed) => {
    listening.useTls(changed)
  })
  return listening
}

/** Certificates that somebody else keeps in files, such as cert-manager. */
async function openWithFiles(
  config: WebhookConfig,
  { tls, caFile }: CertificatesConfig & { readonly from: 'files' },
  opened: Opened,
  surroundings: Surroundings,
): Promise<Listening> {
  const ca = await followPem(caFile, opened, surroundings)
  const options = await optionsOf(config, () => ca.current(), opened, surroundings)
  return listenWithTls(options, tls, opened, surroundings)
}

/** `ofCertificates` is the CA of what serves here, which need not be that of the authority. */
async function optionsOf(
  { listen: address, injection, trust }: WebhookConfig,
  ofCertificates: () => string | undefined,
  opened: Opened,
  surroundings: Surroundings,
) {
  const trusted = await trustedBy(trust, ofCertificates, opened, surroundings)
  const app = webhookListener({ injection, trusted, ...surroundings })
  await app.ready()
  opened.add(() => app.close())
  return {
    role: 'webhook',
    handler: handlerOf(app),
    addresses: [address],
    maxPerAddress: MAX_CONNECTIONS_PER_ADDRESS,
  }
}

async function trustedBy(
  trust: TrustConfig,
  ofCertificates: () => string | undefined,
  opened: Opened,
  surroundings: Surroundings,
): Promise<() => Trusted | undefined> {
  const file = trust.in === 'file' ? await followPem(trust.file, opened, surroundings) : undefined
  return () => {
    const brokerCa = ofCertificates()
    if (brokerCa === undefined) return undefined
    if (trust.in === 'system') return { caBundle: undefined, brokerCa }
    return { caBundle: file ? file.current() : brokerCa, brokerCa }
  }
}

async function followPem(
  file: string,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Watched<string>> {
  return opened.follow(
    await Watched.open(
      {
        what: 'ca',
        paths: [file],
        maxBytes: MAX_CA_BYTES,
        parse: ([content]) => pemOf(content?.bytes.toString('utf8') ?? '', file),
      },
      surroundings,
    ),
  )
}

function pemOf(pem: string, file: string): string {
  try {
    new X509Certificate(pem)
    return pem
  } catch {
    throw new OperatorFault(`webhook: ${file} holds no PEM certificate`)
  }
}
