import { describe, expect, test } from 'vitest'
import type { BrokerErrorCode } from '../../../src/broker/errors.ts'
import { requestText, sendRaw } from '../../fakes/raw_http.ts'
import { ask, codeOf, DOCS, GUARD, HOST, open } from './asking.ts'

describe('a target that names no route', () => {
  test.each([
    '/v1/authorization/other',
    '/v1/authorization/',
    '/v1/authorization',
    '/v1/authorization/docs%2f',
    '/v1/authorization/docs;x',
    '/v1/authorization/docs\\x',
    '/v1/authorization/docsx',
    '/v1/authorization/Docs',
    '/v1/authorization/%64ocs',
    '/v1/authorization//docs',
    '/v1/authorization/__proto__',
    '/v1/authorization/constructor',
    `/v1/authorization/${'a'.repeat(64)}`,
    `/v1/authorization/${'a'.repeat(8_000)}`,
    '/v1/token?audience=x',
    '/v1/../v1/authorization/docs',
    '//v1/authorization/docs',
    'http://127.0.0.1:9182/v1/authorization/docs',
    'http://attacker.example/v1/authorization/docs',
    '/',
    '*',
  ])('%s', async (target) => {
    const broker = await open()
    const answer = await ask(broker, { target })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'authorization_unknown'])
    expect(answer.header('authorization')).toBeUndefined()
    expect(broker.authority.asked).toEqual([])
  })
})

interface GuardCase {
  readonly name: string
  readonly headers: readonly string[]
  readonly code?: BrokerErrorCode
}

const guards: readonly GuardCase[] = [
  { name: 'no guard header', headers: [HOST], code: 'guard_header_missing' },
  { name: 'another value', headers: [HOST, 'Lumo-Broker: True'], code: 'guard_header_missing' },
  { name: 'two of them', headers: [HOST, GUARD, GUARD], code: 'guard_header_missing' },
  {
    name: 'two that contradict',
    headers: [HOST, GUARD, 'lumo-broker: false'],
    code: 'guard_header_missing',
  },
  { name: 'a value and more', headers: [HOST, `${GUARD}, x`], code: 'guard_header_missing' },
  { name: 'an empty one', headers: [HOST, 'Lumo-Broker:'], code: 'guard_header_missing' },
  {
    name: 'a subject token',
    headers: [HOST, GUARD, 'Lumo-Subject-Token: abc'],
    code: 'subject_unsupported',
  },
  {
    name: 'an empty subject token',
    headers: [HOST, GUARD, 'Lumo-Subject-Token:'],
    code: 'subject_unsupported',
  },
  { name: 'a session', headers: [HOST, GUARD, 'lumo-session: abc'], code: 'subject_unsupported' },
  {
    name: 'the host of a page that had its name resolve to this loopback',
    headers: ['Host: attacker.example:9182', GUARD],
    code: 'host_not_allowed',
  },
  ...['localhost.attacker.example', '127.0.0.1.attacker.example', '[::1', '', 'x@127.0.0.1'].map(
    (host): GuardCase => ({
      name: `the host ${host}`,
      headers: [`Host: ${host}`, GUARD],
      code: 'host_not_allowed',
    }),
  ),
  ...['docs.example.com.attacker.example', 'docs.example.com:8o', 'docs.example.com:80:80'].map(
    (host): GuardCase => ({
      name: `the host ${host}`,
      headers: [`Host: ${host}`, GUARD],
      code: 'host_not_allowed',
    }),
  ),
  ...[
    'localhost',
    'LOCALHOST:80',
    '[::1]:9182',
    '10.1.2.3',
    'docs.example.com',
    'DOCS.example.com:8443',
  ].map((host): GuardCase => ({ name: `the host ${host}`, headers: [`Host: ${host}`, GUARD] })),
  {
    name: 'what proxies add',
    headers: [HOST, GUARD, 'X-Forwarded-For: 10.0.0.1', 'Forwarded: for=x', 'Via: 1.1 envoy'],
  },
  { name: 'an upgrade', headers: [HOST, GUARD, 'Upgrade: websocket'] },
]

describe('a request with', () => {
  test.each(guards)('$name is $code', async ({ headers, code }) => {
    const broker = await open()
    const answer = await ask(broker, { headers })
    if (code === undefined) {
      expect(answer.status).toBe(200)
      return
    }
    expect([answer.status, codeOf(answer)]).toEqual([403, code])
    expect(answer.header('authorization')).toBeUndefined()
    expect(broker.authority.asked).toEqual([])
  })

  test('HTTP/1.0 and no host is served', async () => {
    const { port } = await open()
    const { status } = await sendRaw(port, requestText(`GET ${DOCS} HTTP/1.0`, [GUARD]))
    expect(status).toBe(200)
  })
})
