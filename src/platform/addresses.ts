import { BlockList, isIP } from 'node:net'

/**
 * What an IP address leads to. `metadata`: a cloud's service that hands out credentials or the configuration of a machine.
 * `private`: everything else that is not of the public internet, special-purpose ranges included.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link_local' | 'metadata'

type Subnet = readonly [net: string, prefix: number]

/**
 * AWS (EC2, and the agents of ECS and EKS Pod Identity over IPv6), Azure's platform address, which looks public, and
 * Alibaba Cloud. The agents over IPv4 are in 169.254.0.0/16.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 * https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
 */
const METADATA = listOf([
  ['169.254.169.254', 32],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['fd00:ec2::254', 128],
  ['fd00:ec2::23', 128],
])

/** RFC 3927, and RFC 4291 section 2.5.6. */
const LINK_LOCAL = listOf([
  ['169.254.0.0', 16],
  ['fe80::', 10],
])

const LOOPBACK = listOf([
  ['127.0.0.0', 8],
  ['::1', 128],
])

/**
 * The IANA special-purpose registries (RFC 6890), multicast and what is reserved. In IPv6 also the ways to write an IPv4
 * address that a relay may take out again: 6to4, Teredo, the local NAT64 (RFC 8215), IPv4-compatible and translated ones.
 */
const PRIVATE = listOf([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fec0::', 10],
  ['ff00::', 8],
])

/** A network that reaches IPv4 by NAT64 gives every IPv4 host such an address (RFC 6052 section 2.1). */
const NAT64 = listOf([['64:ff9b::', 96]])

/**
 * The class of an address. IPv4 addresses inside IPv6 ones (mapped, NAT64) are judged as what they lead to, or a name could
 * be given such an address to get past. What is no IP address is `private`, so that nothing odd is taken for public.
 */
export function classOf(address: string): AddressClass {
  const [bare = ''] = address.split('%')
  const family = isIP(bare)
  if (family === 0) return 'private'
  if (family === 6 && NAT64.check(bare, 'ipv6')) return classOf(embeddedIpv4(bare))
  const isIn = (list: BlockList): boolean => list.check(bare, family === 6 ? 'ipv6' : 'ipv4')
  if (isIn(METADATA)) return 'metadata'
  if (isIn(LINK_LOCAL)) return 'link_local'
  if (isIn(LOOPBACK)) return 'loopback'
  return isIn(PRIVATE) ? 'private' : 'public'
}

/** The IP address that a URL's `hostname` is, without the brackets of IPv6; undefined where it is a name. */
export function literalOf(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? undefined : bare
}

/** The last 32 bits of an IPv6 address, whose last part may be written either way. */
function embeddedIpv4(address: string): string {
  // The URL parser writes every form of an address in one way, and never with a dotted part.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [high = '', low = ''] = canonical.split(':').slice(-2)
  const bits = (parseInt(high || '0', 16) << 16) | parseInt(low || '0', 16)
  return [24, 16, 8, 0].map((shift) => String((bits >>> shift) & 255)).join('.')
}

/** Node also finds an IPv4-mapped IPv6 address in the IPv4 ranges. */
function listOf(subnets: readonly Subnet[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of subnets) {
    list.addSubnet(net, prefix, net.includes(':') ? 'ipv6' : 'ipv4')
  }
  return list
}
