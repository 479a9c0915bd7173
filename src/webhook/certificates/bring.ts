import type { OwnCertificatesConfig } from '../../config/webhook.ts'
import type { Log } from '../../platform/log.ts'
import { bundleOf, type Authority } from './authority.ts'
import { Outage, type ClusterObjects, type KeptSecret } from './cluster_objects.ts'
import { leafReason } from './decide.ts'
import { issueLeaf, type Issuing } from './issue.ts'
import { endOf, readPair } from './read_pair.ts'

export interface WriteDependencies extends Issuing {
  readonly config: OwnCertificatesConfig
  readonly objects: ClusterObjects
  readonly log: Log
  /** Asked before each write. */
  readonly mayWrite: () => Promise<boolean>
}

/** Ends a round of writing; thrown within this folder only. */
export class RoundEnded extends Error {
  /** `again`: what was read is no longer what is there. `lost`: another may be the writer by now. */
  readonly why: 'again' | 'lost' | Outage
  /** Of `again`: the object that another wrote meanwhile, if one did. */
  readonly object: string | undefined
  constructor(why: RoundEnded['why'], object?: string) {
    super(why instanceof Outage ? why.reason : why)
    this.why = why
    this.object = object
  }
}

/** @throws RoundEnded */
export async function readKept(objects: ClusterObjects, name: string): Promise<KeptSecret> {
  const secret = given(await objects.readSecret(name))
  return secret ?? outage(`the Secret ${name} is not there`)
}

/** @throws RoundEnded */
export async function writeKept(
  { objects, mayWrite }: Pick<WriteDependencies, 'objects' | 'mayWrite'>,
  name: string,
  data: KeptSecret['data'],
  resourceVersion: string,
): Promise<void> {
  if (!(await mayWrite())) throw new RoundEnded('lost')
  const outcome = given(await objects.writeSecret(name, data, resourceVersion))
  if (outcome === 'conflict') throw new RoundEnded('again', name)
}

/** What a round of `bringInStep` found. */
export interface Brought {
  /** Whether anything was not as it is to be. */
  readonly wrote: boolean
  /** When the leaves end; milliseconds since the Unix epoch. */
  readonly ends: readonly number[]
}

/**
 * Brings every leaf and every `caBundle` in step with the CA. What fails for one is thrown when the rest is done: whoever spoils
 * one Secret could else keep all certificates from being renewed.
 * @throws RoundEnded
 */
export async function bringInStep(
  authority: Authority,
  dependencies: WriteDependencies,
): Promise<Brought> {
  const { leaves, webhookConfigurations } = dependencies.config
  const brought: Brought[] = []
  let failed: RoundEnded | undefined
  let ownFailed = false
  for (const leaf of leaves) {
    const outcome = await unlessEnded(bringLeaf(leaf, authority, dependencies))
    if (!(outcome instanceof RoundEnded)) brought.push(outcome)
    else {
      failed ??= outcome
      ownFailed ||= leaf.own
    }
  }
  // The API server is to go on trusting what the webhook serves with, be it of a CA that is gone.
  if (failed && ownFailed) throw failed
  for (const name of webhookConfigurations) {
    brought.push(await bringCaBundle(name, bundleOf(authority), dependencies))
  }
  if (failed) throw failed
  return {
    wrote: brought.some((each) => each.wrote),
    ends: brought.flatMap((each) => each.ends),
  }
}

/** A failure of one object, as a value. That another may be the writer by now ends everything, and is thrown. */
async function unlessEnded(bringing: Promise<Brought>): Promise<Brought | RoundEnded> {
  try {
    return await bringing
  } catch (error) {
    if (error instanceof RoundEnded && error.why !== 'lost') return error
    throw error
  }
}

async function bringCaBundle(
  name: string,
  bundle: string,
  { objects, log, mayWrite }: WriteDependencies,
): Promise<Brought> {
  if (!(await mayWrite())) throw new RoundEnded('lost')
  const outcome = given(await objects.patchCaBundle(name, bundle))
  if (outcome === 'absent') outage(`the MutatingWebhookConfiguration ${name} is not there`)
  if (outcome === 'same') return { wrote: false, ends: [] }
  log.info('a caBundle was written', { webhookConfiguration: name })
  return { wrote: true, ends: [] }
}

async function bringLeaf(
  { secret, dnsNames }: WriteDependencies['config']['leaves'][number],
  authority: Authority,
  dependencies: WriteDependencies,
): Promise<Brought> {
  const { objects, clock, log } = dependencies
  const bundle = bundleOf(authority)
  const { data, resourceVersion } = await readKept(objects, secret)
  const kept = readPair(data['tls.crt'], data['tls.key'])
  const reason = leafReason(kept, dnsNames, authority.signing, clock.wall())
  if (typeof kept !== 'string' && !reason && data['ca.crt'] === bundle) {
    return { wrote: false, ends: [endOf(kept.certificate)] }
  }
  const pair =
    typeof kept === 'string' || reason
      ? await issueLeaf(authority.signing, dnsNames, dependencies)
      : kept
  const written = { 'tls.crt': pair.certPem, 'tls.key': pair.keyPem, 'ca.crt': bundle }
  await writeKept(dependencies, secret, written, resourceVersion)
  const until = pair.certificate.validToDate.toISOString()
  log.info('a certificate was written', { secret, reason: reason ?? 'bundle', until })
  return { wrote: true, ends: [endOf(pair.certificate)] }
}

/** @throws RoundEnded where it is an outage */
export function given<T>(answer: T | Outage): T {
  if (answer instanceof Outage) throw new RoundEnded(answer)
  return answer
}

/** @throws RoundEnded */
export function outage(reason: string): never {
  throw new RoundEnded(new Outage(reason))
}
