import { isJsonObject } from '../platform/strict_json.ts'
import { Outage } from '../webhook/certificates/cluster_objects.ts'
import type { Api } from './kubernetes_api.ts'

const PAGE = 500
/** 200 000 pods; Kubernetes is made for 150 000. */
const MAX_PAGES = 400
const MAX_PAGE_BYTES = 16_777_216
const TOTAL_TIMEOUT_MS = 10_000
/** The metadata only: specifications of pods would be most of what is sent. */
const METADATA =
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;q=0.5'
const IDS = /^[0-9a-f]{16}(,[0-9a-f]{16}){0,7}$/

/** `ClusterObjects.podsTrusting`. Pods that have ended stay listed long after they stopped trusting anybody. */
export async function podsTrusting(api: Api): Promise<ReadonlyMap<string, number> | Outage> {
  const counts = new Map<string, number>()
  let next = ''
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await api({
      method: 'GET',
      path: '/api/v1/pods',
      query: {
        labelSelector: 'lumoauth.dev/inject=true',
        fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
        limit: String(PAGE),
        ...(next && { continue: next }),
      },
      accept: METADATA,
      totalTimeoutMs: TOTAL_TIMEOUT_MS,
      maxBytes: MAX_PAGE_BYTES,
    })
    if (answer instanceof Outage) return answer
    const { items, metadata } = answer.body
    if (answer.status !== 200 || !Array.isArray(items)) {
      return new Outage('the list of pods cannot be read')
    }
    for (const item of items as readonly unknown[]) count(counts, item)
    const following = isJsonObject(metadata) ? metadata['continue'] : undefined
    if (typeof following !== 'string' || following === '') return counts
    next = following
  }
  return new Outage('there are more labelled pods than can be counted')
}

function count(counts: Map<string, number>, pod: unknown): void {
  const metadata = isJsonObject(pod) ? pod['metadata'] : undefined
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined
  const value = isJsonObject(annotations) ? annotations['lumoauth.dev/ca'] : undefined
  if (typeof value !== 'string') return
  const ids = IDS.test(value) ? value : ''
  counts.set(ids, (counts.get(ids) ?? 0) + 1)
}
