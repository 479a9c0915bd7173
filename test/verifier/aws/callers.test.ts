import { describe, expect, onTestFinished, test } from 'vitest'
import type { SignedRequestProvider } from '../../../src/verifier/aws/aws_request.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeSts, type StsCredentials } from '../../fakes/sts.ts'
import { encodeParts } from '../../fakes/sts/signed_token.ts'
import { ACCOUNT, AwsWorld, outcomeOf, type Outcome } from './world.ts'

const OTHER = '444455556666'

interface Caller {
  readonly name: string
  readonly who: (sts: FakeSts) => StsCredentials
  readonly provider?: Partial<SignedRequestProvider>
  readonly outcome: Outcome
  readonly subject?: string
}

const session = 'session-1'
const ID = 'AROAEXAMPLEEXAMPLE00'
const role = (arn: string, account?: string) => (sts: FakeSts) =>
  sts.addCaller(arn, `${ID}:${arn.split('/').at(-1) ?? ''}`, account)

const callers: readonly Caller[] = [
  {
    name: 'a role with a path, which its ARN has lost',
    who: (sts) => sts.addRole('deploy', { path: '/team/' }),
    outcome: 'accepted',
    subject: `arn:aws:iam::${ACCOUNT}:role/deploy`,
  },
  {
    name: 'an instance',
    who: (sts) => sts.addRole('node', { sessionName: 'i-0123456789abcdef0' }),
    outcome: 'accepted',
    subject: `arn:aws:iam::${ACCOUNT}:role/node`,
  },
  {
    name: 'a role with every sign a name may have',
    who: (sts) => sts.addRole('a+b=c,d.e@f-g_h', { sessionName: 'a+b=c,d.e@f-g_h' }),
    outcome: 'accepted',
    subject: `arn:aws:iam::${ACCOUNT}:role/a+b=c,d.e@f-g_h`,
  },
  {
    name: 'a user',
    who: (sts) => sts.addUser('ci'),
    outcome: 'accepted',
    subject: `arn:aws:iam::${ACCOUNT}:user/ci`,
  },
  {
    name: 'a user with a path, which stays',
    who: (sts) => sts.addUser('ci', '/team/build/'),
    outcome: 'accepted',
    subject: `arn:aws:iam::${ACCOUNT}:user/team/build/ci`,
  },
  {
    name: 'root',
    who: (sts) => sts.addCaller(`arn:aws:iam::${ACCOUNT}:root`, ACCOUNT),
    outcome: 'principal_unsupported',
  },
  {
    name: 'a federated user',
    who: (sts) =>
      sts.addCaller(`arn:aws:sts::${ACCOUNT}:federated-user/payments`, `${ACCOUNT}:payments`),
    outcome: 'principal_unsupported',
  },
  {
    name: 'a role of EC2 itself, whose name has a colon',
    who: role(`arn:aws:sts::${ACCOUNT}:assumed-role/aws:ec2-instance/i-0123456789abcdef0`),
    outcome: 'principal_unsupported',
  },
  {
    name: 'a role that is not assumed',
    who: role(`arn:aws:iam::${ACCOUNT}:role/payments`),
    outcome: 'principal_unsupported',
  },
  {
    name: 'a session that IAM names and not STS',
    who: role(`arn:aws:iam::${ACCOUNT}:assumed-role/payments/${session}`),
    outcome: 'principal_unsupported',
  },
  {
    name: 'a session without a name',
    who: role(`arn:aws:sts::${ACCOUNT}:assumed-role/payments`),
    outcome: 'principal_unsupported',
  },
  {
    name: 'a session whose name has a slash',
    who: role(`arn:aws:sts::${ACCOUNT}:assumed-role/payments/admin/${session}`),
    outcome: 'principal_unsupported',
  },
  {
    name: 'a user with a sign in its path that a pattern reads otherwise',
    who: (sts) => sts.addUser('ci', '/*/'),
    outcome: 'principal_unsupported',
  },
  {
    name: 'the same role in another account (CVE-2025-11621)',
    who: role(`arn:aws:sts::${OTHER}:assumed-role/payments/${session}`, OTHER),
    outcome: 'account_mismatch',
  },
  {
    name: 'an ARN of another account than the answer states (CVE-2025-11621)',
    who: role(`arn:aws:sts::${OTHER}:assumed-role/payments/${session}`),
    outcome: 'account_mismatch',
  },
  {
    name: 'an account that is stated and is not that of the ARN, both allowed',
    who: role(`arn:aws:sts::${OTHER}:assumed-role/payments/${session}`),
    provider: { accounts: [ACCOUNT, OTHER] },
    outcome: 'account_mismatch',
  },
  {
    name: 'root of another account',
    who: (sts) => sts.addCaller(`arn:aws:iam::${OTHER}:root`, OTHER, OTHER),
    outcome: 'account_mismatch',
  },
  {
    name: 'an ARN of another partition',
    who: role(`arn:aws-cn:sts::${ACCOUNT}:assumed-role/payments/${session}`),
    outcome: 'account_mismatch',
  },
  {
    name: 'no account at all',
    who: (sts) => sts.addRole('payments'),
    provider: { accounts: [] },
    outcome: 'account_mismatch',
  },
  {
    name: 'an account of eleven digits',
    who: role(`arn:aws:sts::11112222333:assumed-role/payments/${session}`),
    outcome: 'cannot_verify',
  },
  {
    name: 'a session that has expired',
    who: (sts) => {
      const credentials = sts.addRole('late')
      sts.expire(credentials)
      return credentials
    },
    outcome: 'caller_unknown',
  },
  {
    name: 'a key that nobody has',
    who: () => new FakeSts().addRole('payments'),
    outcome: 'caller_unknown',
  },
  {
    name: 'a session token of another session',
    who: (sts) => ({
      ...sts.addRole('one'),
      sessionToken: sts.addRole('two').sessionToken,
    }),
    outcome: 'caller_unknown',
  },
  {
    name: 'a secret that is wrong',
    who: (sts) => ({ ...sts.addRole('one'), secretAccessKey: 'guessed' }),
    outcome: 'signature_invalid',
  },
]

test.each(callers)('$name: $outcome', async ({ who, provider, outcome, subject }) => {
  const world = await started(new AwsWorld(new FakeClock()))
  const token = encodeParts(world.parts({ credentials: who(world.sts) }))
  const result = await world.judge(token, world.provider(provider))
  expect(outcomeOf(result)).toBe(outcome)
  expect('subject' in result ? result.subject : undefined).toBe(subject)
})

describe('a unique id', () => {
  test('is that of the role, without its session', async () => {
    const world = await started(new AwsWorld(new FakeClock()))
    expect(await world.judge(encodeParts(world.parts()))).toMatchObject({
      uniqueId: world.role.roleId,
    })
  })

  test('is that of the user', async () => {
    const world = await started(new AwsWorld(new FakeClock()))
    const user = world.sts.addUser('ci')
    const token = encodeParts(world.parts({ credentials: user }))
    expect(await world.judge(token)).toMatchObject({ uniqueId: user.userId })
  })
})

const partitions = [
  ['aws-us-gov', 'us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
  ['aws-cn', 'cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
] as const

test.each(partitions)('the partition %s', async (partition, region, host) => {
  const world = await started(new AwsWorld(new FakeClock()))
  const credentials = role(`arn:${partition}:sts::${ACCOUNT}:assumed-role/payments/${session}`)(
    world.sts,
  )
  const provider = world.provider({ partition, regions: [region] })
  const token = encodeParts(world.parts({ credentials, region, host }))
  expect(await world.judge(token, provider)).toMatchObject({
    issuer: `https://${host}`,
    partition,
    subject: `arn:${partition}:iam::${ACCOUNT}:role/payments`,
  })
})

test('a FIPS host does not make another issuer', async () => {
  const world = await started(new AwsWorld(new FakeClock()))
  const host = 'sts-fips.us-east-1.amazonaws.com'
  const token = encodeParts(world.parts({ region: 'us-east-1', host }))
  expect(await world.judge(token)).toMatchObject({ issuer: 'https://sts.us-east-1.amazonaws.com' })
  expect(world.sts.seen[0]?.headers['host']).toBe(host)
})

async function started(world: AwsWorld): Promise<AwsWorld> {
  await world.sts.start()
  onTestFinished(() => world.sts.close())
  return world
}
