import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listeningBroker, type ListeningBroker } from '../fakes/broker.ts'
import { requestText, sendRaw } from '../fakes/raw_http.ts'

let broker: ListeningBroker

beforeAll(async () => {
  broker = await listeningBroker({ hosts: ['tokens.internal:9180'] })
})

afterAll(() => broker.close())

const GUARD = 'Lumo-Broker: true'
const ownHost = () => `Host: ${broker.host}`
const good = () => [GUARD, ownHost()]

interface Case {
  readonly name: string
  readonly line?: () => string
  readonly headers: () => readonly string[]
}

async function outcomeOf({ line = () => 'GET /v1/token HTTP/1.1', headers }: Case) {
  const { status, body } = await sendRaw(broker.port, requestText(line(), headers()))
  const { error, code } = JSON.parse(body) as { error?: string; code?: string }
  return { status, error, code }
}

const denied = (code: string) => ({ status: 403, error: 'access_denied', code })
const served = { status: 200, error: undefined, code: undefined }

describe('the guard header', () => {
  const refused: readonly Case[] = [
    { name: 'none', headers: () => [ownHost()] },
    ...[
      'True',
      'TRUE',
      'true, true',
      'true,',
      'yes',
      '1',
      'false',
      '',
      '"true"',
      'true;q=1',
      'truе',
    ].map((value) => ({
      name: `the value ${JSON.stringify(value)}`,
      headers: () => [`Lumo-Broker: ${value}`, ownHost()],
    })),
    { name: 'twice', headers: () => [GUARD, GUARD, ownHost()] },
    { name: 'another name', headers: () => ['Lumo-Brokers: true', ownHost()] },
    { name: 'an underscore in its name', headers: () => ['Lumo_Broker: true', ownHost()] },
  ]
  test.each(refused)('refused: $name', async (given) => {
    expect(await outcomeOf(given)).toEqual(denied('guard_header_missing'))
  })

  const accepted: readonly Case[] = [
    { name: 'as documented', headers: good },
    { name: 'its name in lower case', headers: () => ['lumo-broker: true', ownHost()] },
    { name: 'white space around its value', headers: () => ['Lumo-Broker: \t true  ', ownHost()] },
  ]
  test.each(accepted)('accepted: $name', async (given) => {
    expect(await outcomeOf(given)).toEqual(served)
  })
})

describe('the Host header', () => {
  const port = () => String(broker.port)
  const refused: readonly Case[] = [
    ...[
      ['a rebinding name with the port', () => `rebind.attacker.example:${port()}`],
      ['a rebinding name without port', () => 'rebind.attacker.example'],
      ['a name that resolves to the loopback', () => `127.0.0.1.nip.example:${port()}`],
      ['a prefix of the own name', () => `localhost.attacker.example:${port()}`],
      ['localhost in upper case', () => `LOCALHOST:${port()}`],
      ['localhost with a final dot', () => `localhost.:${port()}`],
      ['localhost without port', () => 'localhost'],
      ['the own address without port', () => '127.0.0.1'],
      ['another port', () => '127.0.0.1:1'],
      ['an own port with leading zero', () => `127.0.0.1:0${port()}`],
      ['another spelling of the loopback', () => `127.1:${port()}`],
      ['another loopback address', () => `127.0.0.2:${port()}`],
      ['the loopback of the other family', () => `[::1]:${port()}`],
      ['all addresses', () => `0.0.0.0:${port()}`],
      ['a user before the address', () => `user@127.0.0.1:${port()}`],
      ['two hosts in one value', () => `127.0.0.1:${port()}, attacker.example`],
      ['empty', () => ''],
    ].map(([name, value]) => ({
      name: name as string,
      headers: () => [GUARD, `Host: ${(value as () => string)()}`],
    })),
    {
      name: 'missing, as HTTP/1.0 allows',
      line: () => 'GET /v1/token HTTP/1.0',
      headers: () => [GUARD],
    },
    {
      name: 'a foreign one before the own',
      headers: () => [GUARD, 'Host: attacker.example', ownHost()],
    },
    {
      name: 'two, the own first',
      headers: () => [GUARD, ownHost(), 'Host: attacker.example'],
    },
    {
      name: 'foreign, with an absolute target that names the own',
      line: () => `GET http://${broker.host}/v1/token HTTP/1.1`,
      headers: () => [GUARD, 'Host: attacker.example'],
    },
    // RFC 9112 section 3.2.2: the host of an absolute target counts, whatever Host says.
    ...['http://attacker.example', 'https://attacker.example', 'HTTP://attacker.example:80'].map(
      (origin) => ({
        name: `own, with the absolute target ${origin}/`,
        line: () => `GET ${origin}/v1/token HTTP/1.1`,
        headers: good,
      }),
    ),
  ]
  test.each(refused)('refused: $name', async (given) => {
    expect(await outcomeOf(given)).toEqual(denied('host_not_allowed'))
  })

  const accepted: readonly Case[] = [
    { name: 'the own address', headers: good },
    { name: 'localhost with the port', headers: () => [GUARD, `Host: localhost:${port()}`] },
    { name: 'one of the configuration', headers: () => [GUARD, 'Host: tokens.internal:9180'] },
    { name: 'its name in another case', headers: () => [GUARD, `hOST: ${broker.host}`] },
    {
      name: 'own, with an absolute target that names it too',
      line: () => `GET http://${broker.host}/v1/token HTTP/1.1`,
      headers: good,
    },
  ]
  test.each(accepted)('accepted: $name', async (given) => {
    expect(await outcomeOf(given)).toEqual(served)
  })

  test('missing in HTTP/1.1 is no request at all (RFC 9112 section 3.2)', async () => {
    const answer = await sendRaw(broker.port, requestText('GET /v1/token HTTP/1.1', [GUARD]))
    expect(answer.status).toBe(400)
  })
})

describe('what proxies and browsers add', () => {
  test.each([
    'X-Forwarded-For: 10.0.0.1',
    'X-Forwarded-Host: 127.0.0.1',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 443',
    'X-Forwarded-Prefix: /',
    'X-Forwarded-Client-Cert: By=spiffe://x',
    'X-Forwarded-Never-Heard-Of: 1',
    'x-forwarded-for: 10.0.0.1',
    'X-Forwarded-For:',
    'Forwarded: for=10.0.0.1',
    'Via: 1.1 proxy',
    'Origin: http://attacker.example',
    'Origin: null',
    'ORIGIN:',
    'Referer: http://attacker.example/',
    'Sec-Fetch-Site: cross-site',
    'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Dest: document',
    'Sec-Fetch-User: ?1',
  ])('refused: %s', async (header) => {
    const given = { name: header, headers: () => [...good(), header] }
    expect(await outcomeOf(given)).toEqual(denied('forwarded_request'))
  })

  test.each([
    'Sec-Fetch-Mode: cors',
    'Sec-Fetch-Mode: navigate',
    'User-Agent: curl/8',
    'Accept: */*',
  ])('accepted: %s', async (header) => {
    const given = { name: header, headers: () => [...good(), header] }
    expect(await outcomeOf(given)).toEqual(served)
  })

  test("Node's own fetch with the guard header is served", async () => {
    const answer = await fetch(`http://${broker.host}/v1/token`, {
      headers: { 'Lumo-Broker': 'true' },
    })
    expect(answer.status).toBe(200)
  })
})

describe('the guards among themselves', () => {
  const origin = 'Origin: http://attacker.example'
  test.each([
    ['no guard header, foreign Host, Origin', () => ['Host: a', origin], 'guard_header_missing'],
    ['foreign Host, Origin', () => [GUARD, 'Host: a', origin], 'host_not_allowed'],
    ['Origin', () => [...good(), origin], 'forwarded_request'],
  ])('%s: the first that fails is named', async (name, headers, code) => {
    expect(await outcomeOf({ name, headers })).toEqual(denied(code))
  })
})
