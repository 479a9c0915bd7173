import { expect, test } from 'vitest'
import { isAudience, isResource } from '../../src/oauth/target.ts'

const longUrl = (length: number) => 'https://a.example/'.padEnd(length, 'x')

const resources: readonly (readonly [name: string, text: string, expected: boolean])[] = [
  ['an https URL', 'https://docs.example.com', true],
  ['one with port, path and query', 'https://docs.example.com:8443/a/b?c=d', true],
  ['one with escapes', 'https://docs.example.com/a%20b', true],
  ['one with an IPv6 address', 'https://[::1]:8443/', true],
  ['an http URL', 'http://docs.example.com', true],
  ['a URN', 'urn:example:docs', true],
  ['a scheme of its own', 'api+v1://docs', true],
  ['one in upper case', 'HTTPS://DOCS.EXAMPLE.COM', true],
  ['512 letters', longUrl(512), true],
  ['513 letters', longUrl(513), false],
  ['nothing', '', false],
  ['a name', 'docs', false],
  ['a host', 'docs.example.com', false],
  ['a path', '/docs', false],
  ['a URL without its scheme', '//docs.example.com', false],
  ['a fragment', 'https://docs.example.com#a', false],
  ['an empty fragment', 'https://docs.example.com#', false],
  ['a scheme without a host', 'https://', false],
  ['a scheme that begins with a digit', '1a:b', false],
  ['a port that is none', 'https://docs.example.com:99999', false],
  ['a space before', ' https://docs.example.com', false],
  ['a space behind', 'https://docs.example.com ', false],
  ['a space inside', 'https://docs.example.com/a b', false],
  ['a line end behind', 'https://docs.example.com\n', false],
  ['a line end inside', 'https://docs.exam\nple.com', false],
  ['a tab inside', 'https://docs.exam\tple.com', false],
  ['NUL behind', 'https://docs.example.com/\0', false],
  ['a letter beyond ASCII', 'https://docs.example.com/größe', false],
]

test.each(resources)('a resource (RFC 8707 section 2) of %s', (_, text, expected) => {
  expect(isResource(text)).toBe(expected)
})

const audiences: readonly (readonly [name: string, text: string, expected: boolean])[] = [
  ['a name', 'docs', true],
  ['a URL', 'https://docs.example.com/#a', true],
  ['the first and last signs that may be', '!~', true],
  ['a quote and a backslash', String.raw`"docs\more`, true],
  ['512 letters', 'x'.repeat(512), true],
  ['513 letters', 'x'.repeat(513), false],
  ['nothing', '', false],
  ['a space', ' ', false],
  ['a space inside', 'a b', false],
  ['a line end behind', 'docs\n', false],
  ['a tab', 'a\tb', false],
  ['NUL', 'a\0', false],
  ['DEL', 'a\u007f', false],
  ['a letter beyond ASCII', 'größe', false],
]

test.each(audiences)('an audience of %s', (_, text, expected) => {
  expect(isAudience(text)).toBe(expected)
})
