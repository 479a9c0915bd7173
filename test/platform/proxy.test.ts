import { describe, expect, test } from 'vitest'
import { showDuration } from '../../src/platform/duration.ts'
import { isProxied, proxyEnvironment } from '../../src/platform/proxy.ts'

describe('the environment of a proxy', () => {
  test('is what Node reads of it', () => {
    const given = { HTTPS_PROXY: 'http://p:3128', no_proxy: '.svc', HTTP_PROXY: '', HOME: '/root' }
    expect(proxyEnvironment(given)).toEqual({ HTTPS_PROXY: 'http://p:3128', no_proxy: '.svc' })
  })

  test('is refused where a proxy is no URL, without its password', () => {
    expect(() => proxyEnvironment({ https_proxy: 'u:canary@p:3128:x' })).not.toThrow('canary')
    expect(() => proxyEnvironment({ HTTPS_PROXY: '//u:canary@p' })).toThrow(
      /^HTTPS_PROXY is no URL$/,
    )
  })

  const proxy = { HTTPS_PROXY: 'http://p:3128' }
  test.each([
    ['https://auth.example', proxy, true],
    ['https://auth.example', { https_proxy: 'http://p:3128' }, true],
    ['https://auth.example', { HTTP_PROXY: 'http://p:3128' }, false],
    ['https://auth.example', {}, false],
    ['http://auth.example', proxy, false],
    ['https://auth.example', { ...proxy, NO_PROXY: '*' }, false],
    ['https://auth.example', { ...proxy, NO_PROXY: 'a.example, Auth.Example' }, false],
    ['https://auth.example', { ...proxy, NO_PROXY: 'auth.example:443' }, false],
    ['https://auth.example:8443', { ...proxy, NO_PROXY: 'auth.example:443' }, true],
    ['https://auth.example', { ...proxy, no_proxy: '.example' }, false],
    ['https://auth.example', { ...proxy, no_proxy: '*.example' }, false],
    ['https://auth.example', { ...proxy, no_proxy: 'example' }, true],
    ['https://auth.example', { ...proxy, no_proxy: 'b.example', NO_PROXY: '*' }, true],
  ])('decides on %s with %j: %s', (url, given, proxied) => {
    expect(isProxied(new URL(url), given)).toBe(proxied)
  })
})

describe('a duration', () => {
  test.each([
    [0, '0 s'],
    [0.9, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [3_599, '59 min 59 s'],
    [3_600, '1 h'],
    [3_601, '1 h'],
    [90_061, '1 d 1 h'],
    [86_400 * 400, '400 d'],
    [-125, '2 min 5 s'],
  ])('of %d seconds is %s', (seconds, text) => {
    expect(showDuration(seconds)).toBe(text)
  })
})
