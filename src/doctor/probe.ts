import { X509Certificate } from 'node:crypto'
import type { RemoteAuthorityConfig } from '../config/config.ts'
import { FileFault } from '../platform/files.ts'
import { HttpFailure, type HttpAnswer } from '../platform/http_client.ts'
import { dnsLink } from './dns.ts'
import { failed, type Finding } from './finding.ts'
import type { World } from './world.ts'

/** One request for the discovery document, and what each link may read off it. */
export interface Probe {
  readonly dns: Finding
  /** Absent where the authority could not be asked at all; `unasked` says why. */
  readonly outcome: HttpAnswer | HttpFailure | undefined
  /** Of the file of certificates, where that is what is wrong. */
  readonly ca: string | Finding | undefined
  readonly unasked: string
}

const MAX_ANSWER_BYTES = 262_144
const MAX_CA_BYTES = 1_048_576

/** The discovery document of a tenant lies beside its token endpoint (RFC 8414 section 3, OpenID Connect Discovery 1.0 section 4). */
export function discoveryUrl({ tokenUrl }: RemoteAuthorityConfig): URL {
  return new URL('../.well-known/openid-configuration', tokenUrl)
}

export async function probe(remote: RemoteAuthorityConfig, world: World): Promise<Probe> {
  const dns = await dnsLink(remote.tokenUrl, world)
  const ca = remote.ca ?? (await readCa(remote.caFile, world))
  if (dns.state === 'failed') {
    return { dns, ca, outcome: undefined, unasked: 'the name of the authority has no address' }
  }
  if (typeof ca === 'object') {
    return { dns, ca, outcome: undefined, unasked: 'there is no connection to the authority' }
  }
  return { dns, ca, outcome: await ask(remote, ca, world), unasked: '' }
}

async function readCa(
  file: string | undefined,
  { files }: World,
): Promise<string | Finding | undefined> {
  if (file === undefined) return undefined
  try {
    const pem = (await files.read(file, MAX_CA_BYTES)).toString('utf8')
    new X509Certificate(pem)
    return pem
  } catch (error) {
    if (error instanceof FileFault) {
      return failed(
        'tls',
        error.message,
        'mount the CA of the authority there (broker.authority.caFile)',
      )
    }
    return failed('tls', `${file} holds no PEM certificate`, 'put the CA of the authority there')
  }
}

async function ask(
  remote: RemoteAuthorityConfig,
  ca: string | undefined,
  { http }: World,
): Promise<HttpAnswer | HttpFailure> {
  try {
    return await http({
      method: 'GET',
      url: discoveryUrl(remote),
      ...(ca !== undefined && { ca }),
      connectTimeoutMs: remote.connectTimeoutMs,
      totalTimeoutMs: remote.totalTimeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    })
  } catch (error) {
    if (error instanceof HttpFailure) return error
    throw error
  }
}

/** Whether a failure came after there was a connection: whoever is there then did not answer in a usable way. */
export function isAnswerFault({ code, reason = '' }: HttpFailure): boolean {
  return code === 'timeout' || code === 'answer_too_large' || reason.startsWith('HPE_')
}
