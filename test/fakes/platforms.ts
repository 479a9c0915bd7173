import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Opened } from '../../src/compose/opened.ts'
import { openProviders } from '../../src/compose/providers.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { Seal } from '../../src/endpoint/sealing.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Provider } from '../../src/verifier/provider.ts'
import { FakeAwsIssuer } from './aws_issuer.ts'
import { FakeCluster } from './cluster.ts'
import { FakeEntra } from './entra.ts'
import { FakeGitHub } from './github.ts'
import { FakeGitLab } from './gitlab.ts'
import { FakeGoogle } from './google.ts'
import { testSurroundings } from './surroundings.ts'
import { TokenIssuer, type Claims } from './token_issuer.ts'

export const ACCOUNT = '111122223333'
export const OTHER_ACCOUNT = '444455556666'

/** A cluster as an issuer like the others. */
class ClusterIssuer extends TokenIssuer {
  override readonly nest = 'kubernetes.io'
  readonly #cluster: FakeCluster

  constructor(audience: string, now: () => number) {
    const cluster = new FakeCluster(now, { audience })
    super(cluster.issuer, audience, now)
    this.#cluster = cluster
  }

  /** Of the API server's own signer. */
  override header(): Claims {
    return { alg: 'RS256', kid: this.kid }
  }

  good(): Claims {
    return this.#cluster.claims()
  }
}

/** One issuer of each kind, and a second AWS account. */
export function issuersOf(audience: string, now: () => number) {
  return {
    kubernetes: new ClusterIssuer(audience, now),
    web_identity: new FakeAwsIssuer(ACCOUNT, 'aaaa1111-0000-4000-8000-000000000001', audience, now),
    other_account: new FakeAwsIssuer(
      OTHER_ACCOUNT,
      'bbbb2222-0000-4000-8000-000000000002',
      audience,
      now,
    ),
    gcp: new FakeGoogle(audience, now),
    azure: new FakeEntra('api://lumo', now),
    azure_v2: new FakeEntra('cccc3333-0000-4000-8000-000000000003', now, 2),
    github: new FakeGitHub(audience, now),
    gitlab: new FakeGitLab(audience, now),
  }
}

export type Issuers = ReturnType<typeof issuersOf>
export type Platform = keyof Issuers

/** Key pairs of all sorts. */
export function sundryKeys() {
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })
  return {
    stranger: rsa(2_048),
    rsa1024: rsa(1_024),
    rsa2048: rsa(2_048),
    p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    ed25519: generateKeyPairSync('ed25519'),
  }
}

export type SundryKeys = ReturnType<typeof sundryKeys>

/** Most of them as an issuer publishes them that is careless with its keys; nobody publishes a stranger's. */
export function publishedKeys(keys: SundryKeys): readonly Claims[] {
  const jwk = (
    kid: string,
    { publicKey }: { readonly publicKey: KeyObject },
    more: Claims = {},
  ) => ({
    ...publicKey.export({ format: 'jwk' }),
    kid,
    ...more,
  })
  return [
    jwk('rsa1024', keys.rsa1024),
    jwk('rsa2048', keys.rsa2048),
    jwk('p256', keys.p256),
    jwk('p384', keys.p384),
    jwk('ed25519', keys.ed25519),
    jwk('p384_as_es256', keys.p384, { alg: 'ES256' }),
    jwk('rsa_as_ps256', keys.rsa2048, { alg: 'PS256' }),
    jwk('rsa_for_encryption', keys.rsa2048, { use: 'enc' }),
  ]
}

/** The provider of each platform as an operator writes it, with its keys inline. */
export function entriesOf(
  issuers: Issuers,
  more: readonly Claims[] = [],
): Readonly<Record<Platform, Claims>> {
  const inline = (...of: readonly TokenIssuer[]) => ({
    inline: { keys: [...of.flatMap((issuer) => issuer.jwks().keys), ...more] },
  })
  const keysOf = (platform: Platform) => ({ name: platform, keys: inline(issuers[platform]) })
  const named = (platform: Platform) => ({
    ...keysOf(platform),
    issuers: [issuers[platform].issuer],
  })
  const webIdentity = (platform: 'web_identity' | 'other_account') => ({
    ...named(platform),
    kind: 'aws',
    form: 'web-identity',
    accounts: [issuers[platform].account],
  })
  const entra = (platform: 'azure' | 'azure_v2') => ({
    ...keysOf(platform),
    kind: 'azure',
    tenantId: issuers[platform].tenantId,
    audiences: [issuers[platform].audience],
  })
  return {
    kubernetes: { ...named('kubernetes'), kind: 'kubernetes' },
    web_identity: webIdentity('web_identity'),
    other_account: webIdentity('other_account'),
    gcp: { ...keysOf('gcp'), kind: 'gcp' },
    azure: entra('azure'),
    azure_v2: entra('azure_v2'),
    github: { ...named('github'), kind: 'oidc' },
    gitlab: { ...named('gitlab'), kind: 'oidc' },
  }
}

/** Opens providers as an authority does, for a tenant whose issuer is `https://auth.example/t/acme-corp/api/v1`. */
export async function openEntries(entries: readonly Claims[]): Promise<readonly Provider[]> {
  const { authority } = resolveConfig(
    {
      roles: ['authority'],
      authority: {
        origin: 'https://auth.example',
        store: { file: 'none' },
        keyEncryptionFile: 'none',
        tenants: [{ slug: 'acme-corp', providers: entries }],
      },
    },
    {},
  )
  const [tenant] = authority?.tenants ?? []
  if (!tenant) throw new Error('the document has no tenant')
  return openProviders(tenant, {
    store: memoryStore(),
    seal: new Seal(systemRandom.bytes(32), systemRandom),
    opened: new Opened(),
    surroundings: testSurroundings(),
  })
}
