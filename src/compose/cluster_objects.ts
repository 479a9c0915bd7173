import { isJsonObject } from '../platform/strict_json.ts'
import type { Clock } from '../platform/clock.ts'
import type { HttpClient } from '../platform/http_client.ts'
import {
  Outage,
  type ClusterObjects,
  type KeptLease,
  type KeptSecret,
  type LeaseClaim,
  type Writing,
} from '../webhook/certificates/cluster_objects.ts'
import { openApi, type Api, type JsonObject } from './kubernetes_api.ts'
import { podsTrusting } from './pods_trusting.ts'

interface ObjectsSettings {
  /** Where the Secrets and the Lease lie. */
  readonly namespace: string
  readonly lease: string
  /** Undefined: the API server of the cluster that this process runs in, with the pod's own service account. */
  readonly kubeconfig?: string | undefined
}

/**
 * Opens the objects of the cluster that certificates are kept in. Needed there: get and update of the Secrets and of the
 * Lease, get and patch of the MutatingWebhookConfigurations, list of pods.
 */
export async function openClusterObjects(
  settings: ObjectsSettings,
  { http, clock }: { readonly http: HttpClient; readonly clock: Clock },
): Promise<ClusterObjects> {
  return new ApiObjects(settings, await openApi({ http, kubeconfig: settings.kubeconfig }), clock)
}

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const FIELD_MANAGER = 'lumo-broker-webhook'

class ApiObjects implements ClusterObjects {
  readonly #api: Api
  readonly #secrets: string
  readonly #lease: string
  /** What a write must give back unchanged, by path: all of an object but its content, which may hold a key. */
  readonly #frames = new Map<string, JsonObject>()

  #clockAheadMs: number | undefined

  constructor({ namespace, lease }: ObjectsSettings, api: Api, clock: Clock) {
    this.#api = async (request) => {
      const answer = await api(request)
      if (!(answer instanceof Outage) && !Number.isNaN(answer.at)) {
        this.#clockAheadMs = answer.at - clock.wall()
      }
      return answer
    }
    this.#secrets = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`
    this.#lease = `${leases}/${encodeURIComponent(lease)}`
  }

  async readSecret(name: string): Promise<KeptSecret | undefined | Outage> {
    const secret = await this.#read(this.#secret(name), 'data')
    if (!secret || secret instanceof Outage) return secret
    return {
      data: mapped(secret.content, decoded),
      resourceVersion: secret.resourceVersion,
    }
  }

  writeSecret(
    name: string,
    data: Readonly<Record<string, string>>,
    resourceVersion: string,
  ): Promise<Writing> {
    const content = { data: mapped(data, encoded) }
    return this.#write(this.#secret(name), content, resourceVersion)
  }

  async readLease(): Promise<KeptLease | undefined | Outage> {
    const lease = await this.#read(this.#lease, 'spec')
    if (!lease || lease instanceof Outage) return lease
    const { holderIdentity } = lease.content
    const holder = typeof holderIdentity === 'string' && holderIdentity ? holderIdentity : undefined
    return { holder, resourceVersion: lease.resourceVersion }
  }

  writeLease(claim: LeaseClaim, resourceVersion: string): Promise<Writing> {
    const spec = {
      // An empty one is refused; none is what says that nobody holds it.
      ...(claim.holder !== undefined && { holderIdentity: claim.holder }),
      leaseDurationSeconds: claim.durationSeconds,
      // MicroTime: six digits, no fewer.
      renewTime: new Date(claim.renewedAt).toISOString().replace('Z', '000Z'),
    }
    return this.#write(this.#lease, { spec }, resourceVersion)
  }

  async patchCaBundle(name: string, pem: string): Promise<'patched' | 'same' | 'absent' | Outage> {
    const path = `${CONFIGURATIONS}/${encodeURIComponent(name)}`
    const answer = await this.#api({ method: 'GET', path })
    if (answer instanceof Outage) return answer
    if (answer.status === 404) return 'absent'
    const { webhooks } = answer.body
    const all: readonly unknown[] = Array.isArray(webhooks) ? webhooks : []
    const wanted = encoded(pem)
    const patch = all.flatMap((webhook, index) => caBundlePatch(webhook, index, wanted))
    if (patch.length === 0) return 'same'
    const patched = await this.#api({
      method: 'PATCH',
      path,
      query: { fieldManager: FIELD_MANAGER },
      contentType: 'application/json-patch+json',
      body: patch,
    })
    if (patched instanceof Outage) return patched
    return patched.status === 200 ? 'patched' : new Outage(`${path} changed meanwhile`)
  }

  podsTrusting(): Promise<ReadonlyMap<string, number> | Outage> {
    return podsTrusting(this.#api)
  }

  clockAheadMs(): number | undefined {
    return this.#clockAheadMs
  }

  #secret(name: string): string {
    return `${this.#secrets}/${encodeURIComponent(name)}`
  }

  async #read(
    path: string,
    part: 'data' | 'spec',
  ): Promise<{ content: JsonObject; resourceVersion: string } | undefined | Outage> {
    const answer = await this.#api({ method: 'GET', path })
    if (answer instanceof Outage) return answer
    if (answer.status === 404) return undefined
    const { [part]: content, ...frame } = answer.body
    const resourceVersion = versionOf(frame)
    if (resourceVersion === undefined) return new Outage(`${path} has no resourceVersion`)
    this.#frames.set(path, frame)
    return { content: isJsonObject(content) ? content : {}, resourceVersion }
  }

  async #write(path: string, content: object, resourceVersion: string): Promise<Writing> {
    const frame = this.#frames.get(path)
    if (!frame || versionOf(frame) !== resourceVersion) return 'conflict'
    const query = { fieldManager: FIELD_MANAGER }
    const answer = await this.#api({ method: 'PUT', path, query, body: { ...frame, ...content } })
    if (answer instanceof Outage) return answer
    if (answer.status === 422) return new Outage(`PUT ${path}: the API server answered 422`)
    return answer.status === 200 ? 'written' : 'conflict'
  }
}

function versionOf({ metadata }: JsonObject): string | undefined {
  const version = isJsonObject(metadata) ? metadata['resourceVersion'] : undefined
  return typeof version === 'string' && version !== '' ? version : undefined
}

function caBundlePatch(webhook: unknown, index: number, wanted: string): readonly object[] {
  if (!isJsonObject(webhook)) return []
  const { name, clientConfig } = webhook
  if (!isJsonObject(clientConfig) || clientConfig['caBundle'] === wanted) return []
  const at = `/webhooks/${String(index)}`
  return [
    // The list may have changed since it was read.
    { op: 'test', path: `${at}/name`, value: name },
    { op: 'add', path: `${at}/clientConfig/caBundle`, value: wanted },
  ]
}

function mapped<Value>(
  data: Readonly<Record<string, Value>>,
  each: (value: Value) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]): [string, string] => [key, each(value)]),
  )
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64')
}

function decoded(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : ''
}
