export type AwsPartition = 'aws' | 'aws-cn' | 'aws-us-gov'

/** A regional host of STS, taken apart. */
export interface StsHost {
  readonly host: string
  readonly region: string
  readonly partition: AwsPartition
}

const SUFFIX: Readonly<Record<AwsPartition, string>> = {
  aws: 'amazonaws.com',
  'aws-us-gov': 'amazonaws.com',
  'aws-cn': 'amazonaws.com.cn',
}

/**
 * The partition of a region by its prefix. The isolated partitions and the European sovereign one have hosts under other
 * domains (partitions.json of botocore); their regions have none here.
 */
export function partitionOf(region: string): AwsPartition | undefined {
  if (!/^[a-z]{2,4}(-[a-z]{2,12}){1,2}-\d$/.test(region)) return undefined
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  return /^(us|eu)-iso|^eusc-/.test(region) ? undefined : 'aws'
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
  if (partition === undefined || suffix !== SUFFIX[partition]) return undefined
  if (service === 'sts-fips' && partition === 'aws-cn') return undefined
  return { host, region, partition }
}

/** Who vouches for callers of a region: the same for its ordinary and its FIPS host, so that one principal has one issuer. */
export function stsIssuer({ region, partition }: StsHost): string {
  return `https://sts.${region}.${SUFFIX[partition]}`
}
