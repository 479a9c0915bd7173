import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { placeOf } from '../../src/cli/broker_place.ts'
import { placeOfBroker } from '../../src/cli/configured_place.ts'
import type { Io } from '../../src/cli/io.ts'
import { makeCa } from '../fakes/certificates.ts'
import { authorityOnly } from '../fakes/config_documents.ts'
import { runInProcess } from '../fakes/io.ts'
import { selfSigned } from '../fakes/self_signed.ts'
import { stubBroker, stubToken, type StubBroker } from '../fakes/stub_broker.ts'

const ca = await makeCa('Node CA')
const otherCa = await makeCa('Other CA')
const pair = await ca.issue()
const elsewhere = await selfSigned({ name: 'elsewhere.example' })

let folder: string
let stubs: StubBroker[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-place-'))
  stubs = []
})

afterEach(async () => {
  await Promise.all(stubs.map((stub) => stub.close()))
  await rm(folder, { recursive: true })
})

const start = async (options: Parameters<typeof stubBroker>[0] = {}): Promise<StubBroker> => {
  const stub = await stubBroker(options)
  stubs.push(stub)
  return stub
}
const run = (given: readonly string[], environment: Record<string, string> = {}) =>
  runInProcess(['token', ...given], { workingFolder: folder, environment })
const runBy = ([given, environment]: readonly [readonly string[], object]) =>
  run(given, environment as Record<string, string>)
const served = { exitCode: 0, stdout: `${stubToken}\n`, stderr: '' }
const wrongUsage = (sentence: string) => ({
  exitCode: 2,
  stdout: '',
  stderr: `lumo-broker: ${sentence}; see lumo-broker help\n`,
})
const fault = (sentence: string) => ({
  exitCode: 1,
  stdout: '',
  stderr: `lumo-broker: ${sentence}\n`,
})

/** Writes a sidecar's configuration that listens there. */
async function configure(listen: readonly string[], more = {}): Promise<string> {
  const broker = {
    listen,
    authority: { url: 'https://auth.example', tenant: 'acme-corp' },
    ...more,
  }
  await writeFile(join(folder, 'lumo.json'), JSON.stringify({ roles: ['broker'], broker }))
  return 'lumo.json'
}

/** Two brokers, the one that is meant and the one that is not, and a socket of the former. */
async function two() {
  const [meant, other] = [await start(), await start()]
  const socket = join(folder, 'broker.sock')
  const onSocket = await start({ listenOn: { path: socket } })
  const file = await configure([meant.where])
  return { meant, other, socket, onSocket, file, url: `http://${meant.where}` }
}

type Two = Awaited<ReturnType<typeof two>>
/** The options and the environment that lead to one of them. */
type Ways = readonly [name: string, how: (around: Two) => readonly [readonly string[], object]]

describe('a broker is asked', () => {
  test.each<Ways>([
    ['at --url', ({ url }: Two) => [['--url', url], {}]],
    ['at --url with a slash', ({ url }: Two) => [['--url', `${url}/`], {}]],
    ['at LUMO_BROKER_URL', ({ url }: Two) => [[], { LUMO_BROKER_URL: url }]],
    ['where --config has it listen', ({ file }: Two) => [['--config', file], {}]],
    ['where LUMO_CONFIG has it listen', ({ file }: Two) => [[], { LUMO_CONFIG: file }]],
    [
      'at an option before any variable',
      ({ url, other }: Two) => [
        ['--url', url],
        { LUMO_BROKER_URL: `http://${other.where}`, LUMO_BROKER_SOCKET: '/nowhere' },
      ],
    ],
    [
      'where --config has it listen before any other variable',
      ({ file, other }: Two) => [['--config', file], { LUMO_BROKER_URL: `http://${other.where}` }],
    ],
    [
      'at LUMO_BROKER_URL before LUMO_CONFIG',
      ({ url }: Two) => [[], { LUMO_BROKER_URL: url, LUMO_CONFIG: 'nowhere.yaml' }],
    ],
    [
      'by what is not empty',
      ({ url }: Two) => [[], { LUMO_BROKER_URL: url, LUMO_BROKER_SOCKET: '' }],
    ],
  ])('%s', async (_, how) => {
    const around = await two()
    expect(await runBy(how(around))).toEqual(served)
    expect([around.meant.seen.length, around.other.seen, around.onSocket.seen]).toEqual([1, [], []])
    expect(around.meant.seen[0]).toMatchObject({
      method: 'POST',
      path: '/v1/token',
      headers: { host: around.meant.where, 'lumo-broker': 'true' },
    })
  })

  test.each<Ways>([
    ['of --socket', ({ socket }: Two) => [['--socket', socket], {}]],
    ['of --socket as a setting has it', ({ socket }: Two) => [['--socket', `unix:${socket}`], {}]],
    ['of LUMO_BROKER_SOCKET', ({ socket }: Two) => [[], { LUMO_BROKER_SOCKET: socket }]],
  ])('over the socket %s', async (_, how) => {
    const around = await two()
    expect(await runBy(how(around))).toEqual(served)
    expect(around.onSocket.seen).toMatchObject([{ headers: { host: 'localhost' } }])
    expect([around.meant.seen, around.other.seen]).toEqual([[], []])
  })

  test('over the socket of a configuration', async () => {
    const { socket, onSocket } = await two()
    expect(await run(['--config', await configure([`unix:${socket}`])])).toEqual(served)
    expect(onSocket.seen).toHaveLength(1)
  })

  test('without the proxy of the environment, which would be handed the token', async () => {
    const proxy = await start()
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']
    const environment = Object.fromEntries(names.map((name) => [name, `http://${proxy.where}`]))
    // No test reaches further than this machine, and says so.
    await expect(run(['--url', 'https://broker.example'], environment)).rejects.toThrow(
      'a test tried to reach broker.example',
    )
  })

  test('at port 9180 of the loopback, by default', async () => {
    const nothing = { url: undefined, socket: undefined, config: undefined }
    const { url, socket } = await placeOf(nothing, { environment: {} } as Io)
    expect([url.origin, socket]).toEqual(['http://127.0.0.1:9180', undefined])
  })

  const tls = { certFile: '/tls.crt', keyFile: '/tls.key' }
  test.each([
    [[{ host: '127.0.0.1', port: 1 }], undefined, 'http://127.0.0.1:1', undefined],
    [
      [
        { host: '::1', port: 1 },
        { host: '127.0.0.1', port: 2 },
      ],
      undefined,
      'http://[::1]:1',
      undefined,
    ],
    [[{ host: '::', port: 1 }], tls, 'https://127.0.0.1:1', undefined],
    [[{ host: '0.0.0.0', port: 1 }], tls, 'https://127.0.0.1:1', undefined],
    [[{ host: '192.0.2.1', port: 1 }], tls, 'https://192.0.2.1:1', undefined],
    [[{ socket: '/run/lumo/a.sock' }], undefined, 'http://localhost', '/run/lumo/a.sock'],
    [[{ host: '127.0.0.1', port: 0 }], undefined, undefined, undefined],
  ])('where one listens at %j', (listen, pair, origin, socket) => {
    const place = placeOfBroker({ listen, tls: pair })
    expect([place?.url.origin, place?.socket]).toEqual([origin, socket])
  })
})

describe('what names no broker', () => {
  const exclusive = '--url, --socket and --config exclude one another'
  test.each([
    [['--url', 'http://127.0.0.1:1', '--socket', '/a'], {}, exclusive],
    [['--config', 'a', '--socket', '/a'], {}, exclusive],
    [['--socket', ''], {}, '--socket must not be empty'],
    [['--url', ''], {}, '--url must be an origin, such as http://127.0.0.1:9180'],
    [['--url', '127.0.0.1:9180'], {}, '--url must be an origin, such as http://127.0.0.1:9180'],
    [
      ['--url', 'http://127.0.0.1:9180/v1/token'],
      {},
      '--url must be an origin, such as http://127.0.0.1:9180',
    ],
    [['--url', 'http://broker.example:9180'], {}, '--url must be https, or http on loopback'],
    [['--url', 'ftp://127.0.0.1'], {}, '--url must be https, or http on loopback'],
    [
      [],
      { LUMO_BROKER_URL: 'http://a.example' },
      'LUMO_BROKER_URL must be https, or http on loopback',
    ],
    [
      [],
      { LUMO_BROKER_URL: 'http://127.0.0.1:1', LUMO_BROKER_SOCKET: '/a' },
      'LUMO_BROKER_URL and LUMO_BROKER_SOCKET exclude one another',
    ],
  ])('%j with %j', async (given, environment, sentence) => {
    expect(await run(given, environment as Record<string, string>)).toEqual(wrongUsage(sentence))
  })

  test('a configuration without a broker', async () => {
    await writeFile(join(folder, 'none.json'), JSON.stringify(authorityOnly()))
    expect(await run(['--config', 'none.json'])).toEqual(fault('none.json has no broker'))
  })

  test('a configuration that leaves the port open', async () => {
    expect(await run(['--config', await configure(['127.0.0.1:0'])])).toEqual(
      fault('lumo.json leaves the port of the broker open: name it with --url'),
    )
  })

  test('a socket that is not there', async () => {
    const socket = join(folder, 'none.sock')
    expect(await run(['--socket', socket])).toEqual(
      fault(
        `no broker answers at ${socket} (${socket}: ENOENT); does it run, and is the volume of the socket mounted in this container?`,
      ),
    )
  })
})

describe('a node broker', () => {
  beforeEach(async () => {
    await writeFile(join(folder, 'ca.pem'), ca.pem)
    await writeFile(join(folder, 'other.pem'), otherCa.pem)
    await writeFile(join(folder, 'elsewhere.pem'), elsewhere.cert)
    await writeFile(join(folder, 'proof'), 'the.projected.token\n')
  })
  const trusting = ['--ca-file', 'ca.pem']

  test.each([
    ['by --proof-file', ['--proof-file', 'proof'], {}],
    ['by LUMO_PROOF_FILE', [], { LUMO_PROOF_FILE: 'proof' }],
  ])('is shown the token of the pod %s', async (_, given, environment) => {
    const stub = await start({ tls: pair })
    const url = ['--url', `https://${stub.where}`, ...trusting]
    expect(await run([...url, ...given], environment as Record<string, string>)).toEqual(served)
    expect(stub.seen[0]?.headers.authorization).toBe('Bearer the.projected.token')
  })

  test('alone is shown it unasked: a sidecar reads it itself', async () => {
    const { where, seen } = await start()
    const url = ['--url', `http://${where}`]
    expect(await run(url, { LUMO_PROOF_FILE: 'proof' })).toEqual(served)
    expect(seen[0]?.headers.authorization).toBeUndefined()
    expect(await run([...url, '--proof-file', 'proof'])).toEqual(served)
    expect(seen[1]?.headers.authorization).toBe('Bearer the.projected.token')
  })

  test.each([
    ['that is not there', 'nothing', 'nothing does not exist; is it mounted in this container?'],
    ['that is empty', 'empty', 'empty holds no token; is it the projected one?'],
    ['that is a text', 'text', 'text holds no token; is it the projected one?'],
  ])('is not asked with a file %s', async (_, name, sentence) => {
    await writeFile(join(folder, 'empty'), '\n')
    await writeFile(join(folder, 'text'), 'a b\r\nc')
    const stub = await start()
    expect(await run(['--url', `http://${stub.where}`, '--proof-file', name])).toEqual(
      fault(join(folder, sentence)),
    )
    expect(stub.seen).toEqual([])
  })

  test.each([
    [
      'of another CA',
      pair,
      'other.pem',
      'its certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)); does --ca-file hold the CA that signed its certificate?',
    ],
    [
      'of another name',
      elsewhere,
      'elsewhere.pem',
      'its certificate is made for another name); use a name in --url that its certificate has',
    ],
    ['of a file that is not there', pair, 'none.pem', undefined],
  ])('is shown nothing with the certificate %s', async (_, shown, file, why) => {
    const stub = await start({ tls: shown })
    const url = `https://${stub.where}`
    const given = ['--url', url, '--ca-file', file, '--proof-file', 'proof']
    const sentence =
      why === undefined
        ? `${join(folder, file)} does not exist; is it mounted in this container?`
        : `no broker answers at ${url} (${stub.where}: ${why}`
    expect(await run(given)).toEqual(fault(sentence))
    expect(stub.seen).toEqual([])
  })

  test('is reached by a name of its certificate', async () => {
    const stub = await start({ tls: pair })
    const port = stub.where.split(':')[1] ?? ''
    expect(await run(['--url', `https://localhost:${port}`, ...trusting])).toEqual(served)
  })
})
