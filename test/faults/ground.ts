import type { TlsPair } from '../../src/platform/listen.ts'
import { makeCa } from '../fakes/certificates.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { selfSigned } from '../fakes/self_signed.ts'
import { ISSUER } from './authority.ts'

/** What a TLS server can show. Each is among those that the broker trusts, but for that of another CA. */
export type Certificate = 'good' | 'expired' | 'of another CA' | 'of another name'

/** Keys and certificates, which all worlds share: making them takes longer than the rest of a world. */
export interface Ground {
  /** PEM; the CA of the good certificate. */
  readonly ca: string
  /** PEM; what the broker trusts. */
  readonly trusted: string
  readonly certificates: Readonly<Record<Certificate, TlsPair>>
  /** Signing keys of the cluster, each the successor of the one before. */
  readonly clusterKeys: readonly FakeCluster[]
}

export async function prepareGround(): Promise<Ground> {
  const ca = await makeCa('Authority CA')
  const other = await makeCa('Another CA')
  const certificates = {
    good: await ca.issue(),
    expired: await selfSigned({ endedSecondsAgo: 3_600 }),
    'of another CA': await other.issue(),
    'of another name': await selfSigned({ name: 'elsewhere.example' }),
  }
  const { expired, 'of another name': misnamed } = certificates
  const newKey = (): FakeCluster => new FakeCluster(() => 0, { audience: ISSUER })
  return {
    ca: ca.pem,
    trusted: [ca.pem, expired.cert, misnamed.cert].join('\n'),
    certificates,
    clusterKeys: [newKey(), newKey()],
  }
}
