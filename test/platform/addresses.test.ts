import { describe, expect, test } from 'vitest'
import { classOf, literalOf, type AddressClass } from '../../src/platform/addresses.ts'

/** Both ends of each range, and what lies just beyond. */
const ranges: Readonly<Record<AddressClass, string>> = {
  public: `
    1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255
    128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0
    191.255.255.255 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255
    198.20.0.0 223.255.255.255 168.63.129.15 168.63.129.17
    2606:4700:4700::1111 2001:4860:4860::8888 2a00:: fe00:: 64:ff9b::101:101
    ::ffff:1.1.1.1 ::ffff:808:808 64:ff9b::8.8.8.8
  `,
  private: `
    0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255
    172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.192 192.168.0.0 192.0.2.1
    192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1
    224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::2 ::10.0.0.1 ::8.8.8.8 ::ffff:0:10.0.0.1 fc00:: fdff::1
    fd00:ec2::253 fd00:ec2::255 fec0::1 ff02::1 2001:db8::1 100::1
    2002:a9fe:a9fe::1 2001:0:a9fe:a9fe::1 64:ff9b:1::a9fe:a9fe
    ::ffff:10.0.0.1 ::ffff:a00:1 ::ffff:0.0.0.0 64:ff9b::10.0.0.1 64:ff9b::
    64:ff9b::c0a8:1 fc00::1%eth0
  `,
  loopback: `
    127.0.0.0 127.0.0.1 127.255.255.255 ::1 0:0:0:0:0:0:0:1
    ::ffff:127.0.0.1 ::ffff:7f00:1 64:ff9b::127.0.0.1
  `,
  link_local: `
    169.254.0.0 169.254.169.253 169.254.170.2 169.254.170.23 169.254.255.255
    fe80:: fe80::1 fe80::1%eth0 febf::1 ::ffff:169.254.0.1 fe80::a9fe:a9fe
    64:ff9b::a9fe:1
  `,
  metadata: `
    169.254.169.254 100.100.100.200 168.63.129.16 fd00:ec2::254 fd00:ec2::23
    FD00:EC2:0:0:0:0:0:254 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe
    64:ff9b::169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b::6464:64c8
  `,
}

describe('the address', () => {
  const cases = Object.entries(ranges).flatMap(([found, addresses]) =>
    addresses
      .trim()
      .split(/\s+/)
      .map((address) => [address, found] as const),
  )
  test.each(cases)('%s is %s', (address, found) => {
    expect(classOf(address)).toBe(found)
  })

  test.each(['', 'keys.example', '1.1.1', '01.1.1.1', '1.1.1.1 ', '[::1]', '1.1.1.1:80', '%eth0'])(
    '%o is none, and not taken for a public one',
    (text) => {
      expect(classOf(text)).toBe('private')
    },
  )
})

describe('the host of a URL', () => {
  test.each([
    ['https://10.0.0.1:8443/', '10.0.0.1'],
    ['https://[fe80::1]/', 'fe80::1'],
    ['https://[::ffff:10.0.0.1]/', '::ffff:a00:1'],
    ['https://0xa9fea9fe/', '169.254.169.254'],
    ['https://2852039166/', '169.254.169.254'],
    ['https://0251.0376.0251.0376/', '169.254.169.254'],
    ['https://169.254.43518/', '169.254.169.254'],
    ['https://keys.example/', undefined],
    ['https://localhost/', undefined],
    ['https://10.0.0.1.keys.example/', undefined],
  ])('%s is the address %s', (url, address) => {
    expect(literalOf(new URL(url).hostname)).toBe(address)
  })
})
