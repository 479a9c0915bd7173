export type AwsPartition = 'aws' | 'aws-cn' | 'aws-us-gov'

/** The domain under which a partition has its hosts. */
export const awsSuffix: Readonly<Record<AwsPartition, string>> = {
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
