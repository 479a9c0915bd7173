import { describe, expect, test } from 'vitest'
import { ask, codeOf, docs, startProxy, startUpstream } from './world.ts'

const FORWARD = '403 proxy_forward_refused'
const MALFORMED = '400 proxy_path_malformed'

/** What stands behind the method, and what the upstream is asked for or why it is not asked. */
const targets: readonly (readonly [target: string, outcome: string])[] = [
  ['/docs/a', '/base/a'],
  ['/docs/a/b.txt?q=1&r=%2e%2e%2f', '/base/a/b.txt?q=1&r=%2e%2e%2f'],
  ['/docs', '/base'],
  ['/docs/', '/base/'],
  ['/docs?x', '/base?x'],
  ['/docs/a/', '/base/a/'],
  ['/docs/%61%2Db%7e', '/base/a-b~'],
  ['/%64ocs/a', '/base/a'],
  ['/docs/%c3%a9', '/base/%C3%A9'],
  ['/docs/a%20b', '/base/a%20b'],
  ['/docs/a%3fb', '/base/a%3Fb'],
  ['/docs/...', '/base/...'],
  ['/docs/a..b/.hidden', '/base/a..b/.hidden'],
  ['/docs/a;v=1/b', '/base/a;v=1/b'],
  ['/docs/a:b@c', '/base/a:b@c'],
  ['/docs/a?[x]|{y}', '/base/a?[x]|{y}'],
  // Segments of dots, however they are written.
  ['/docs/..', MALFORMED],
  ['/docs/../admin', MALFORMED],
  ['/docs/./a', MALFORMED],
  ['/docs/.', MALFORMED],
  ['/docs/%2e%2e/admin', MALFORMED],
  ['/docs/.%2E/admin', MALFORMED],
  ['/docs/%2e/a', MALFORMED],
  ['/docs/..;/admin', MALFORMED],
  ['/docs/..;x=1/admin', MALFORMED],
  ['/docs/.;/a', MALFORMED],
  ['/docs/..%3b/admin', MALFORMED],
  ['/docs/%2e%2e%3B/admin', MALFORMED],
  ['/docs/;/a', MALFORMED],
  ['/docs/;x/a', MALFORMED],
  ['/docs/%c0%ae%c0%ae/admin', MALFORMED],
  ['/docs/%e0%80%ae/a', MALFORMED],
  // Slashes, however they are written.
  ['/docs/a%2fb', MALFORMED],
  ['/docs/a%2Fb', MALFORMED],
  ['/docs%2fa', MALFORMED],
  ['/docs/a%5cb', MALFORMED],
  ['/docs/a%5Cb', MALFORMED],
  ['/docs/a\\b', MALFORMED],
  ['/docs\\..\\a', MALFORMED],
  ['/docs/%c0%af', MALFORMED],
  ['/docs//a', MALFORMED],
  ['//docs/a', MALFORMED],
  ['//evil.example/docs/a', MALFORMED],
  ['/docs/a//', MALFORMED],
  // A second layer, and no layer at all.
  ['/docs/%252e%252e/admin', MALFORMED],
  ['/docs/%2561', MALFORMED],
  ['/docs/%25', MALFORMED],
  ['/docs/%', MALFORMED],
  ['/docs/%2', MALFORMED],
  ['/docs/%zz', MALFORMED],
  ['/docs/%u002e', MALFORMED],
  ['/docs/%ff', MALFORMED],
  // What no name has.
  ['/docs/%00', MALFORMED],
  ['/docs/a%0d%0ab', MALFORMED],
  ['/docs/%1f', MALFORMED],
  ['/docs/%7f', MALFORMED],
  ['/docs/a#b', MALFORMED],
  ['/docs/a?b#c', MALFORMED],
  ['/docs/a"b', MALFORMED],
  ['/docs/<a>', MALFORMED],
  ['/docs/{a}', MALFORMED],
  ['/docs/a?b\\c', MALFORMED],
  ['*', MALFORMED],
  // Of another host.
  ['http://evil.example/docs/a', FORWARD],
  ['https://HOST/docs/a', FORWARD],
  ['http://HOST@evil.example/docs/a', FORWARD],
  ['http://HOST/docs/a', '/base/a'],
  ['HTTP://HOST/docs/a', '/base/a'],
  ['http://HOST/docs/../a', MALFORMED],
  ['http://HOST', MALFORMED],
  // Of no route.
  ['/', '404 proxy_route_unknown'],
  ['/docsx', '404 proxy_route_unknown'],
  ['/Docs/a', '404 proxy_route_unknown'],
  ['/admin', '404 proxy_route_unknown'],
]

describe('the target', () => {
  test.each(targets)('%s gives %s', async (target, outcome) => {
    const upstream = await startUpstream()
    const proxy = await startProxy({ routes: [docs(upstream.origin)] })
    const answer = await ask(proxy, `GET ${target.replace('HOST', proxy.host)}`)
    const asked = upstream.seen.map(({ url }) => url)
    if (outcome.startsWith('/')) expect([answer.status, asked]).toEqual([200, [outcome]])
    else expect([codeOf(answer), asked]).toEqual([outcome, []])
  })
})

const NOT_ALLOWED = '403 proxy_path_not_allowed'

/** What the route allows, what is asked for, and what becomes of it. */
const patterns: readonly (readonly [paths: readonly string[], target: string, outcome: string])[] =
  [
    [['/v1/items'], '/docs/v1/items', '/base/v1/items'],
    [['/v1/items'], '/docs/v1/items/', NOT_ALLOWED],
    [['/v1/items'], '/docs/v1/item%73', '/base/v1/items'],
    [['/v1/items/*'], '/docs/v1/items/7', '/base/v1/items/7'],
    [['/v1/items/*'], '/docs/v1/items/7/secrets', NOT_ALLOWED],
    [['/v1/items/*'], '/docs/v1/items/7:purge', NOT_ALLOWED],
    // To most servers an encoded colon is one.
    [['/v1/items/*'], '/docs/v1/items/7%3Apurge', NOT_ALLOWED],
    [['/v1/items/*', '/v1/items/*:*'], '/docs/v1/items/7%3Apurge', '/base/v1/items/7%3Apurge'],
    [['/public/**', '/a'], '/docs/public/x/y', '/base/public/x/y'],
    [['/public/**'], '/docs/public', NOT_ALLOWED],
    [['/public/**'], '/docs/private', NOT_ALLOWED],
    [['/'], '/docs', '/base'],
    [['/'], '/docs/', '/base/'],
    [['/'], '/docs/a', NOT_ALLOWED],
    [['/a'], '/docs', NOT_ALLOWED],
    [['/files/*.txt'], '/docs/files/a.txt', '/base/files/a.txt'],
    // Some servers cut parameters off before they look.
    [['/files/*.txt'], '/docs/files/secret;.txt', NOT_ALLOWED],
    [['/files/*.txt'], '/docs/files/secret%3B.txt', NOT_ALLOWED],
    [['/files/*'], '/docs/files/a;b', '/base/files/a;b'],
  ]

describe('the patterns', () => {
  test.each(patterns)('%j at %s give %s', async (paths, target, outcome) => {
    const upstream = await startUpstream()
    const proxy = await startProxy({ routes: [docs(upstream.origin, { paths })] })
    const answer = await ask(proxy, `GET ${target}`)
    const asked = upstream.seen.map(({ url }) => url)
    if (outcome.startsWith('/')) expect([answer.status, asked]).toEqual([200, [outcome]])
    else expect([codeOf(answer), asked]).toEqual([outcome, []])
  })
})

describe('the route', () => {
  const routes = (origin: string) => [
    docs(origin, { name: 'all', path: '/', upstream: origin }),
    docs(origin, { name: 'v1', path: '/api/v1', upstream: `${origin}/one/` }),
    docs(origin, { name: 'api', upstream: `${origin}/any` }),
    docs(origin, { name: 'mcp', path: '/tools', upstream: `${origin}/mcp/`, paths: ['/'] }),
  ]

  test.each([
    ['/x', '/x'],
    ['/', '/'],
    ['/api/v1/x', '/one/x'],
    ['/api/v1', '/one/'],
    ['/api/v11', '/any/v11'],
    ['/api', '/any'],
    ['/apis', '/apis'],
    ['/tools', '/mcp/'],
  ])('of %s leads to %s: the longest path counts', async (target, url) => {
    const upstream = await startUpstream()
    const proxy = await startProxy({ routes: routes(upstream.origin) })
    await ask(proxy, `GET ${target}`)
    expect(upstream.seen.map((one) => one.url)).toEqual([url])
  })
})
