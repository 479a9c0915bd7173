import Type, { type Static } from 'typebox'
import type { ListenAddress } from '../platform/listen.ts'
import { parseAddress } from './address.ts'
import type { ReportFault } from './document.ts'
import { tlsSchema, type TlsFiles } from './tls.ts'

const closed = { additionalProperties: false }
const name = {
  pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
  form: 'a Kubernetes name: lower case letters, digits, dashes and dots, 253 at most',
}
const url = { minLength: 1, maxLength: 512 }
const quantities = (description: string) =>
  Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 64 }), { description })

const sidecar = Type.Object(
  {
    image: Type.String({
      minLength: 1,
      maxLength: 512,
      description: 'Image of the sidecar, with a tag or a digest.',
    }),
    imagePullPolicy: Type.Enum(['Always', 'IfNotPresent', 'Never'], {
      default: 'IfNotPresent',
      description: 'When the kubelet fetches it.',
    }),
    imagePullSecrets: Type.Array(Type.String(name), {
      default: [],
      maxItems: 8,
      description:
        "Names of pull secrets that are added to pods; they lie in the pods' namespaces.",
    }),
    resources: Type.Object(
      {
        requests: Type.Optional(quantities('As in a manifest: cpu, memory.')),
        limits: Type.Optional(quantities('The same.')),
      },
      {
        ...closed,
        default: { requests: { cpu: '5m', memory: '40Mi' }, limits: { memory: '128Mi' } },
        description: 'Resources of the sidecar, unless the pod says others.',
      },
    ),
    logLevel: Type.Enum(['debug', 'info', 'warn', 'error'], {
      default: 'info',
      description: 'The least that it logs, unless the pod says another.',
    }),
  },
  { ...closed, description: 'What is put into pods.' },
)

const ownCertificates = Type.Object(
  {
    namespace: Type.String({ ...name, description: 'Where its Secrets and its Lease lie.' }),
    caSecret: Type.String({ ...name, description: 'Secret with the CA and its key.' }),
    lease: Type.String({ ...name, description: 'Lease that chooses who writes.' }),
    leaves: Type.Array(
      Type.Object(
        {
          secret: Type.String({ ...name, description: 'Secret with a certificate and its key.' }),
          dnsNames: Type.Array(Type.String(name), {
            minItems: 1,
            maxItems: 16,
            description: 'Names that it stands for; the first is its subject.',
          }),
          own: Type.Boolean({
            default: false,
            description: 'Whether it is what the webhook itself serves with.',
          }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 8, description: 'One for each program that serves.' },
    ),
    webhookConfigurations: Type.Array(Type.String(name), {
      minItems: 1,
      maxItems: 4,
      description: 'MutatingWebhookConfigurations whose `caBundle` is kept.',
    }),
  },
  { ...closed, description: 'Certificates by a small CA of its own.' },
)

const fileCertificates = Type.Object(
  {
    tls: tlsSchema,
    caFile: Type.String({
      minLength: 1,
      description: 'PEM certificates that pods are to trust; followed.',
    }),
  },
  { ...closed, description: 'Certificates that somebody else keeps in files.' },
)

export const webhookSchema = Type.Object(
  {
    listen: Type.String({
      default: '[::]:9443',
      description: 'Address for the API server.',
    }),
    authority: Type.Object(
      {
        url: Type.String({ ...url, description: 'Origin of the authority, for the sidecars.' }),
        tenant: Type.String({ ...name, description: 'The tenant there.' }),
        trust: Type.Enum(['certificates', 'file', 'system'], {
          default: 'certificates',
          description:
            'Whose certificates the sidecars trust for it. certificates: those of the section certificates. file: of caFile. system: the CAs that every system knows.',
        }),
        caFile: Type.Optional(
          Type.String({
            minLength: 1,
            description: 'PEM certificates, with trust file; followed.',
          }),
        ),
      },
      { ...closed, description: 'Who exchanges the proof.' },
    ),
    podName: Type.Optional(
      Type.String({
        ...name,
        env: 'POD_NAME',
        description: 'Name of this replica, for the Lease; something random is added to it.',
      }),
    ),
    proofAudience: Type.String({
      ...url,
      description: 'Audience of the projected tokens that are mounted into the sidecars.',
    }),
    sidecar,
    meshProxies: Type.Array(Type.String(name), {
      default: ['istio-proxy', 'linkerd-proxy'],
      maxItems: 16,
      description:
        'Init containers of service meshes that the sidecar is put behind, for nothing reaches the network before them.',
    }),
    nodeBroker: Type.Optional(
      Type.Object(
        { url: Type.String({ ...url, description: 'Origin of the broker of each node.' }) },
        { ...closed, description: 'Absent: pods cannot have the mode `node`.' },
      ),
    ),
    defaultMode: Type.Enum(['sidecar', 'node'], {
      default: 'sidecar',
      description: 'Mode of pods that name none.',
    }),
    certificates: Type.Object(
      {
        own: Type.Optional(ownCertificates),
        files: Type.Optional(fileCertificates),
      },
      { ...closed, description: 'One of the two.' },
    ),
    drainDelay: Type.Integer({
      default: 10,
      minimum: 0,
      maximum: 300,
      description: 'Seconds in which connections are still accepted after SIGTERM.',
    }),
  },
  { ...closed, description: 'Puts the broker into labelled pods.' },
)

type WebhookSection = Static<typeof webhookSchema>

/** What is put into pods, and on whose behalf. */
export interface InjectionConfig {
  readonly authority: { readonly url: string; readonly tenant: string }
  readonly proofAudience: string
  readonly sidecar: WebhookSection['sidecar']
  readonly meshProxies: readonly string[]
  /** Absent: mode `node` is refused. */
  readonly nodeBroker: { readonly url: string } | undefined
  readonly defaultMode: 'sidecar' | 'node'
}

export type OwnCertificatesConfig = Static<typeof ownCertificates>

export type CertificatesConfig =
  | ({ readonly from: 'own' } & OwnCertificatesConfig)
  | { readonly from: 'files'; readonly tls: TlsFiles; readonly caFile: string }

/** Whose certificates pods trust for the authority. */
export type TrustConfig =
  { readonly in: 'certificates' | 'system' } | { readonly in: 'file'; readonly file: string }

export interface WebhookConfig {
  readonly listen: ListenAddress
  readonly podName: string | undefined
  readonly injection: InjectionConfig
  readonly certificates: CertificatesConfig
  readonly trust: TrustConfig
  readonly drainDelayMs: number
}

/** The rules between its settings. Undefined: a fault was told. */
export function resolveWebhook(
  section: WebhookSection,
  fault: ReportFault,
): WebhookConfig | undefined {
  const listen = parseAddress(section.listen)
  if (!listen) fault('webhook.listen', 'must be an IP address and a port')
  for (const [path, text] of [
    ['webhook.authority.url', section.authority.url],
    ['webhook.nodeBroker.url', section.nodeBroker?.url],
  ] as const) {
    if (text !== undefined && !isHttpsOrigin(text)) fault(path, 'must be an https origin')
  }
  if (section.defaultMode === 'node' && !section.nodeBroker) {
    fault('webhook.defaultMode', 'must be sidecar where nodeBroker is not given')
  }
  const certificates = certificatesOf(section, fault)
  if (!listen || !certificates) return undefined
  const {
    authority,
    proofAudience,
    sidecar: wanted,
    meshProxies,
    nodeBroker,
    defaultMode,
  } = section
  return {
    listen,
    podName: section.podName,
    injection: {
      authority: { url: authority.url, tenant: authority.tenant },
      proofAudience,
      sidecar: wanted,
      meshProxies,
      nodeBroker,
      defaultMode,
    },
    certificates,
    trust: trustOf(section, fault),
    drainDelayMs: section.drainDelay * 1000,
  }
}

function trustOf({ authority }: WebhookSection, fault: ReportFault): TrustConfig {
  const { trust, caFile } = authority
  if ((trust === 'file') !== (caFile !== undefined)) {
    fault('webhook.authority.caFile', 'must be given with trust file, and with no other')
  }
  return trust === 'file' ? { in: 'file', file: caFile ?? '' } : { in: trust }
}

function certificatesOf(
  { certificates: { own, files } }: WebhookSection,
  fault: ReportFault,
): CertificatesConfig | undefined {
  if (own && !files) {
    if (own.leaves.filter((leaf) => leaf.own).length === 1) return { from: 'own', ...own }
    fault('webhook.certificates.own.leaves', 'exactly one must be `own`')
    return undefined
  }
  if (files && !own) return { from: 'files', ...files }
  fault('webhook.certificates', 'must hold either own or files')
  return undefined
}

function isHttpsOrigin(text: string): boolean {
  const parsed = URL.parse(text)
  return parsed?.protocol === 'https:' && parsed.origin === text
}
