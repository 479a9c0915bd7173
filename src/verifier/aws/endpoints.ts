import { awsSuffix, partitionOf, type AwsPartition } from '../../config/provider/aws_regions.ts'

/** A regional host of STS, taken apart. */
export interface StsHost {
  readonly host: string
  readonly region: string
  readonly partition: AwsPartition
}

/**
 * Reads `sts.REGION.SUFFIX` or, outside China, `sts-fips.REGION.SUFFIX`. The host without a region is none of them: what
 * it answers from is not for the caller to choose, and AWS itself advises against it.
 */
export function parseStsHost(host: string): StsHost | undefined {
  const {
    service,
    region = '',
    suffix,
  } = /^(?<service>sts|sts-fips)\.(?<region>[a-z0-9-]{1,32})\.(?<suffix>[a-z.]{1,32})$/.exec(host)
    ?.groups ?? {}
  const partition = partitionOf(region)
  if (partition === undefined || suffix !== awsSuffix[partition]) return undefined
  if (service === 'sts-fips' && partition === 'aws-cn') return undefined
  return { host, region, partition }
}

/** Who vouches for callers of a region: the same for its ordinary and its FIPS host, so that one principal has one issuer. */
export function stsIssuer({ region, partition }: StsHost): string {
  return `https://sts.${region}.${awsSuffix[partition]}`
}
