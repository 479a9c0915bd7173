import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { WorkloadIdentity } from '../../src/verifier/identity.ts'
import { CannotVerify, ProofRefusal } from '../../src/verifier/refusal.ts'
import { STS_CLAIM } from '../fakes/aws_issuer.ts'
import type { FakeEntra } from '../fakes/entra.ts'
import { ACCOUNT, OTHER_ACCOUNT, type Platform } from '../fakes/platforms.ts'
import { outcomeOf } from '../fakes/provider.ts'
import { signJws, type Claims } from '../fakes/token_issuer.ts'
import { share } from '../fuzz/share.ts'
import { issuers, now, platforms, quickKey, verifier } from '../fuzz/verifier.ts'

const sign = (claims: Claims, header: Claims = {}): string =>
  signJws({ alg: 'ES256', kid: 'p256', ...header }, JSON.stringify(claims), quickKey)

const anyPlatform = fc.constantFrom(...platforms)
const names = [...new Set(platforms.flatMap((platform) => Object.keys(issuers[platform].good())))]
const innerNames = [
  'namespace',
  'serviceaccount',
  'pod',
  'node',
  'secret',
  'warnafter',
  'aws_account',
  'x',
]

/** What a claim may be changed into: near what is right, of another platform, or anything. */
const anyValue = fc.oneof(
  fc.integer({ min: -90_000, max: 90_000 }).map((offset) => now + offset),
  fc.constantFrom(...platforms.flatMap((platform) => Object.values(issuers[platform].good()))),
  fc.constantFrom(ACCOUNT, OTHER_ACCOUNT, '', null, true, undefined),
  fc.jsonValue({ maxDepth: 2 }),
)
const changes = fc.dictionary(fc.constantFrom(...names, 'scp', 'azp', '__proto__'), anyValue, {
  maxKeys: 3,
})
const innerChanges = fc.dictionary(fc.constantFrom(...innerNames), anyValue, { maxKeys: 1 })

const anyClaims = fc
  .tuple(anyPlatform, changes, innerChanges)
  .map(([platform, claims, nested]) => issuers[platform].claims({ claims, nested }))

/** What must hold of claims that made an identity, said anew and plainly. */
function holds(claims: Claims, identity: WorkloadIdentity): boolean {
  const { iat, exp, nbf = iat, aud, iss } = claims
  const times = [iat, exp, nbf].every((time) => Number.isInteger(time))
  const [born, end, from] = [Number(iat), Number(exp), Number(nbf)]
  // A provider of Entra has both of its issuers; the audience tells the two providers apart.
  const ofEntra = [issuers.azure, issuers.azure_v2].some(({ issuer }) => issuer === iss)
  const longest = identity.kind === 'azure' ? 86_700 : 86_400
  const soleAudience = Array.isArray(aud) ? aud.length === 1 && (aud[0] as unknown) : aud
  const issuer = Object.values(issuers).find((issuer) =>
    ofEntra
      ? [issuers.azure, issuers.azure_v2].includes(issuer as FakeEntra) &&
        issuer.audience === soleAudience
      : issuer.issuer === iss,
  )
  return (
    times &&
    born <= now + 30 &&
    from <= now + 30 &&
    end > now - 30 &&
    end > born &&
    end - born <= longest &&
    identity.expiresAt === end &&
    identity.issuer === iss &&
    issuer?.audience === soleAudience &&
    identity.provider === platforms.find((platform) => issuers[platform] === issuer) &&
    holdsOfKind(claims, identity)
  )
}

function holdsOfKind(claims: Claims, identity: WorkloadIdentity): boolean {
  const { sub } = claims
  switch (identity.kind) {
    case 'kubernetes': {
      const bound = claims['kubernetes.io'] as Claims
      const { name } = bound['serviceaccount'] as Claims
      return (
        sub === `system:serviceaccount:${String(bound['namespace'])}:${String(name)}` &&
        identity.subject === sub &&
        identity.namespace === bound['namespace'] &&
        identity.serviceAccount.name === name &&
        identity.pod?.uid === (bound['pod'] as Claims)['uid'] &&
        bound['secret'] === undefined
      )
    }
    case 'aws': {
      const account = identity.provider === 'web_identity' ? ACCOUNT : OTHER_ACCOUNT
      return (
        identity.subject === sub &&
        sub.startsWith(`arn:aws:iam::${account}:role/`) &&
        (claims[STS_CLAIM] as Claims)['aws_account'] === account &&
        identity.account === account &&
        now - Number(claims['iat']) < 330
      )
    }
    case 'gcp':
      return (
        identity.subject === sub &&
        /^\d{5,32}$/.test(sub) &&
        [sub, undefined].includes(claims['azp'] as string)
      )
    case 'azure':
      return (
        identity.subject === claims['oid'] &&
        claims['tid'] === issuers.azure.tenantId &&
        claims['scp'] === undefined &&
        [undefined, 'app'].includes(claims['idtyp'] as string)
      )
    case 'oidc':
      return identity.subject === sub && /^[ -~]{1,512}$/.test(sub)
  }
}

test('whatever is signed is judged, nothing throws, and what is accepted had to be', async () => {
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(anyClaims, async (claims) => {
      const result = await verifier.verify(sign(claims))
      if (result instanceof ProofRefusal || result instanceof CannotVerify) return
      accepted += 1
      // As the verifier had them: JSON knows no undefined.
      expect(holds(JSON.parse(JSON.stringify(claims)) as Claims, result)).toBe(true)
    }),
    share(0.2),
  )
  // With none the property would say nothing.
  expect(accepted).toBeGreaterThan(share(0.2).numRuns / 50)
})

const ownMembers = new Set([...names, ...innerNames, 'scp', 'appid', 'azp'])
const meaningless = fc.dictionary(
  fc.string({ maxLength: 20 }).filter((name) => !ownMembers.has(name)),
  fc.jsonValue({ maxDepth: 3 }),
  { maxKeys: 4 },
)

test('claims of no meaning change nothing', async () => {
  await fc.assert(
    fc.asyncProperty(anyPlatform, meaningless, async (platform: Platform, more) => {
      const result = await verifier.verify(sign({ ...more, ...issuers[platform].good() }))
      expect(outcomeOf(result)).toBe('accepted')
    }),
    share(0.05),
  )
})

test('header members of no meaning are not passed over', async () => {
  const member = fc
    .string({ minLength: 1, maxLength: 12 })
    .filter((name) => !['alg', 'kid', 'typ', 'x5t', 'x5t#S256'].includes(name))
  await fc.assert(
    fc.asyncProperty(anyPlatform, member, fc.jsonValue(), async (platform, name, value) => {
      const token = sign(issuers[platform].good(), { [name]: value })
      expect(outcomeOf(await verifier.verify(token))).toBe('header_not_allowed')
    }),
    share(0.05),
  )
})
