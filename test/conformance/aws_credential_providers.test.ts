import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHttp, fromTokenFile } from '@aws-sdk/credential-providers'
import aws4 from 'aws4'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { AwsMetadata } from '../fakes/aws_metadata.ts'
import { encodeParts } from '../fakes/sts/signed_token.ts'
import { AUDIENCE, AwsWorld, outcomeOf } from '../verifier/aws/world.ts'

const REGION = 'eu-west-1'
const HOST = `sts.${REGION}.amazonaws.com`
const PATH = '/?Action=GetCallerIdentity&Version=2011-06-15'
const POD_TOKEN = 'the-token-of-the-pod'

const world = new AwsWorld(systemClock)
let metadata: AwsMetadata
let folder: string
let tokenFile: string

beforeAll(async () => {
  await world.sts.start()
  metadata = await new AwsMetadata(POD_TOKEN, world.role).start()
  folder = await mkdtemp(join(tmpdir(), 'lumo-aws-'))
  tokenFile = join(folder, 'token')
  await writeFile(tokenFile, POD_TOKEN)
})
afterAll(async () => {
  await metadata.close()
  await world.sts.close()
  await rm(folder, { recursive: true })
})
beforeEach(() => {
  // Two signers that sign the same in one second make the same signature.
  world.spent.clear()
})

/** Where a workload's own software has its keys from, as AWS's library fetches them. */
const sources = {
  'the container endpoint of ECS and EKS Pod Identity': () =>
    fromHttp({
      awsContainerCredentialsFullUri: `${metadata.origin}/v1/credentials`,
      awsContainerAuthorizationTokenFile: tokenFile,
    }),
  IRSA: () =>
    fromTokenFile({
      webIdentityTokenFile: tokenFile,
      roleArn: 'arn:aws:iam::123456789012:role/payments',
      clientConfig: { endpoint: metadata.origin, region: REGION },
    }),
}

describe('a request that aws4 signed with credentials from', () => {
  test.each(Object.entries(sources))('%s is accepted', async (_, source) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await source()()
    const wish = {
      service: 'sts',
      region: REGION,
      host: HOST,
      method: 'POST',
      path: PATH,
      headers: { 'X-Lumo-Audience': AUDIENCE },
    }
    const { headers = {} } = aws4.sign(wish, {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
    })
    const token = encodeParts({
      url: `https://${HOST}${PATH}`,
      method: 'POST',
      headers: Object.entries(headers).map(([key, value]) => ({ key, value: String(value) })),
    })
    expect(outcomeOf(await world.judge(token))).toBe('accepted')
  })
})
