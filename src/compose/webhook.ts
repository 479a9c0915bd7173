import type { CertificatesConfig, TrustConfig, WebhookConfig } from '../config/webhook.ts'
import { handlerOf, listen, type Listening } from '../platform/listen.ts'
import { certificatesIn } from '../platform/pem.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { Watched } from '../platform/watched.ts'
import { keepCertificates } from '../webhook/certificates/keep.ts'
import { webhookListener, type Trusted } from '../webhook/listener.ts'
import { openClusterObjects } from './cluster_objects.ts'
import { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'
import { listenWithTls } from './tls.ts'

/** As long as `broker.authority.ca` may be, into which it goes. */
const MAX_CA_LENGTH = 65_536
const MAX_CA_BYTES = 1_048_576
/** One for each admission that an API server has under way. */
const MAX_CONNECTIONS_PER_ADDRESS = 256

/** The role `webhook`, running. */
export interface RunningWebhook {
  /** None: it was asked to end before it had a certificate to serve with. */
  readonly addresses: readonly string[]
  /** Whether it knows what pods are to trust. Where it does not, another replica may. */
  isReady(): boolean
  stop(graceMs: number): Promise<void>
}

/**
 * Wires what the API server asks about pods, and listens once there is a certificate: until then nobody could connect.
 * `asked`: resolves when the process is asked to end, for which a wait for certificates is no reason to stay.
 * @throws OperatorFault
 */
export async function startWebhook(
  config: WebhookConfig,
  surroundings: Surroundings,
  asked: Promise<unknown>,
): Promise<RunningWebhook> {
  const opened = new Opened()
  try {
    const serving = await open(config, asked, opened, surroundings)
    if (!serving) {
      return { addresses: [], isReady: () => false, stop: () => opened.close() }
    }
    const { listening, trusted } = serving
    return {
      addresses: listening.addresses,
      isReady: () => trusted() !== undefined,
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

interface Serving {
  readonly listening: Listening
  readonly trusted: () => Trusted | undefined
}

/** Undefined: it was asked to end meanwhile. */
async function open(
  config: WebhookConfig,
  asked: Promise<unknown>,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Serving | undefined> {
  const { certificates } = config
  return certificates.from === 'own'
    ? openWithOwn(config, certificates, asked, opened, surroundings)
    : openWithFiles(config, certificates, opened, surroundings)
}

/** Certificates that the webhook keeps itself, in Secrets. */
async function openWithOwn(
  config: WebhookConfig,
  certificates: CertificatesConfig & { readonly from: 'own' },
  asked: Promise<unknown>,
  opened: Opened,
  surroundings: Surroundings,
): Promise<Serving | undefined> {
  const kept = keepCertificates({
    config: certificates,
    objects: await openClusterObjects(certificates, surroundings),
    // Another for each process, also where the name of the pod is not given.
    identity: `${config.podName ?? 'webhook'}_${surroundings.random.uuid()}`,
    ...surroundings,
  })
  opened.add(() => kept.stop())
  await Promise.race([kept.ready, asked])
  const pair = kept.tls()
  if (!pair) return undefined
  const { options, trusted } = await optionsOf(config, () => kept.caBundle(), opened, surroundings)
  const listening = await listen({ ...options, tls: pair }, surroundings.clock)
  kept.onTls((changed) => {
    listening.useTls(changed)
  })
  return { listening, trusted }
}

/** Certificates that somebody else keeps in files, such as cert-manager. */
async function openWithFiles(
  config: WebhookConfig,
  { tls, caFile }: CertificatesConfig & { readonly from: 'files' },
  opened: Opened,
  surroundings: Surroundings,
): Promise<Serving> {
  const ca = await followPem(caFile, opened, surroundings)
  const { options, trusted } = await optionsOf(config, () => ca.current(), opened, surroundings)
  return { listening: await listenWithTls(options, tls, opened, surroundings), trusted }
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
  const options = {
    role: 'webhook',
    handler: handlerOf(app),
    addresses: [address],
    maxPerAddress: MAX_CONNECTIONS_PER_ADDRESS,
  }
  return { options, trusted }
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
  const certificates = certificatesIn(pem)
  if (!certificates) {
    throw new OperatorFault(`webhook: ${file} must hold PEM certificates, and nothing else in PEM`)
  }
  const text = `${certificates.join('\n')}\n`
  // It goes into the environment of every pod.
  if (text.length > MAX_CA_LENGTH) {
    throw new OperatorFault(
      `webhook: the certificates of ${file} are longer than ${String(MAX_CA_LENGTH)} characters: name the one CA that is needed`,
    )
  }
  return text
}
