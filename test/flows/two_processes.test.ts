import { randomBytes, X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { describe, expect, test } from 'vitest'
import { writeVolume } from '../../src/dev/kubelet.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { makeCa } from '../fakes/certificates.ts'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import { endOf, openScene, poll, type Program } from '../fakes/program.ts'

const ISSUER = 'https://auth.example/t/acme-corp/api/v1'
const DOCS = 'https://docs.example.com'
const FILES = 'https://files.example.com'

const policy = `agents:
  - name: doc-analyst
    proof: { provider: prod, namespace: research, serviceAccount: doc-analyst }
    grants:
      - scopes: [agent:self]
      - { target: ${DOCS}, scopes: [read:documents] }
      - { target: ${FILES}, scopes: [read:files] }
`

type Line = Readonly<Record<string, unknown>>

function linesOf(stdout: string): readonly Line[] {
  return stdout
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line)
}

/** Where the role listens, once it says so. */
async function addressOf(program: Program, role: string): Promise<string> {
  const { address } = await program.until((stdout) =>
    linesOf(stdout).find((line) => line['msg'] === 'listening' && line['role'] === role),
  )
  return String(address)
}

/** Asks a broker for a token as a pod does. */
async function askAt(address: string, audience = DOCS) {
  const answer = await fetch(`http://${address}/v1/token?audience=${audience}`, {
    headers: { 'Lumo-Broker': 'true' },
  })
  const { access_token: token, error, code } = (await answer.json()) as Line
  const retryAfter = answer.headers.get('retry-after')
  return answer.ok
    ? { status: answer.status, token: String(token) }
    : { status: answer.status, error, code, retryAfter }
}

const unavailable = {
  status: 503,
  error: 'temporarily_unavailable',
  code: 'authority_unavailable',
  retryAfter: '1',
}

/** Everything that the two processes read, in a folder, and ways to start them. */
async function openTwo(onTestFinished: Parameters<typeof openScene>[0]) {
  const scene = await openScene(onTestFinished)
  const { at } = scene
  const ca = await makeCa('Authority CA')
  const cluster = new FakeCluster(() => Math.floor(Date.now() / 1000), { audience: ISSUER })

  /** Puts a new certificate of the CA in place, and gives back its fingerprint. */
  const writePair = async () => {
    const { cert, key } = await ca.issue()
    await writeFile(at('tls.crt'), cert)
    await writeFile(at('tls.key'), key)
    return new X509Certificate(cert).fingerprint256
  }
  const writeProof = async (changes?: TokenChanges) =>
    writeVolume(at('proof'), { token: await cluster.token(changes) }, systemRandom)
  const provider = {
    name: 'prod',
    kind: 'kubernetes',
    issuers: [cluster.issuer],
    keys: { file: at('jwks.json') },
  }
  const operations = { listen: '127.0.0.1:0' }
  const start = async (name: string, config: object) => {
    await writeFile(at(`${name}.json`), JSON.stringify({ operations, ...config }))
    return scene.start('run', '--config', `${name}.json`)
  }
  const startAuthority = async (port = 0) => {
    const authority = {
      listen: `127.0.0.1:${String(port)}`,
      origin: 'https://auth.example',
      tls: { certFile: at('tls.crt'), keyFile: at('tls.key') },
      store: { file: at('authority.sqlite') },
      keyEncryptionFile: at('key-encryption'),
      tenants: [{ slug: 'acme-corp', policy: at('policy.yaml'), providers: [provider] }],
    }
    const program = await start('authority', { roles: ['authority'], authority })
    const address = await addressOf(program, 'authority')
    return { program, url: `https://${address}`, port: Number(address.split(':')[1]) }
  }
  const startBroker = (url: string, more: { authority?: object; shutdown?: object } = {}) => {
    const broker = {
      ...more,
      listen: ['127.0.0.1:0'],
      authority: {
        url,
        tenant: 'acme-corp',
        ...(url.startsWith('https:') && { caFile: at('ca.pem') }),
        ...more.authority,
      },
      proof: { file: at('proof/token'), audience: ISSUER },
      terminationMessageFile: at('termination-log'),
    }
    return start('broker', { roles: ['broker'], broker })
  }
  const keysOf = async (url: string) => {
    const answer = await nodeHttpClient(
      systemClock,
      {},
    )({
      method: 'GET',
      url: new URL('/t/acme-corp/api/v1/.well-known/jwks.json', url),
      ca: ca.pem,
      connectTimeoutMs: 5_000,
      totalTimeoutMs: 5_000,
      maxBytes: 65_536,
    })
    return createLocalJWKSet(JSON.parse(answer.body) as JSONWebKeySet)
  }

  await writeFile(at('ca.pem'), ca.pem)
  await writePair()
  await writeFile(at('key-encryption'), randomBytes(32).toString('base64'))
  await writeFile(at('jwks.json'), JSON.stringify(await cluster.jwks()))
  await writeFile(at('policy.yaml'), policy)
  await writeProof()
  return { ...scene, ca, writePair, writeProof, startAuthority, startBroker, keysOf }
}

const stranger: TokenChanges = {
  claims: { sub: 'system:serviceaccount:research:stranger' },
  bound: { serviceaccount: { name: 'stranger', uid: '44444444' } },
}

/** An authority that accepts connections and never answers. */
async function openSilence(onTestFinished: Parameters<typeof openScene>[0]) {
  const { promise: called, resolve } = Promise.withResolvers<void>()
  const server = createServer((socket) => {
    socket.on('error', () => {})
    resolve()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(async () => {
    server.close()
    await Promise.resolve()
  })
  return { called, url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` }
}

describe.concurrent('an authority and a broker, each a process', () => {
  test(
    'a broker that is asked to end waits for no exchange beyond its grace',
    { timeout: 45_000 },
    async ({ onTestFinished }) => {
      const silence = await openSilence(onTestFinished)
      const { startBroker } = await openTwo(onTestFinished)
      // The exchange alone would take longer than this test may.
      const slow = { authority: { timeout: 60 }, shutdown: { grace: 1 } }
      const broker = await startBroker(silence.url, slow)
      await silence.called
      expect(await broker.end('SIGTERM')).toEqual({ code: 0, signal: null })
    },
  )

  test('a token comes over TLS for the proof in the volume, and verifies', async ({
    onTestFinished,
  }) => {
    const { startAuthority, startBroker, keysOf, writeProof } = await openTwo(onTestFinished)
    const authority = await startAuthority()
    const broker = await startBroker(authority.url)
    const address = await addressOf(broker, 'broker')
    const { status, token } = await askAt(address)
    expect(status).toBe(200)
    const options = { issuer: ISSUER, audience: DOCS, typ: 'at+jwt' }
    const { payload } = await jwtVerify(token ?? '', await keysOf(authority.url), options)
    expect(payload).toMatchObject({
      sub: 'agent:doc-analyst',
      client_id: 'doc-analyst',
      scope: 'read:documents',
      tenant: 'acme-corp',
    })

    // The kubelet swaps the volume: the next exchange shows what lies there by then.
    await writeProof(stranger)
    expect(await askAt(address, FILES)).toEqual({
      status: 403,
      error: 'invalid_request',
      code: 'authority_refused',
      retryAfter: null,
    })
    const ends = await Promise.all([broker.end('SIGTERM'), authority.program.end('SIGTERM')])
    expect(ends.map(({ code }) => code)).toEqual([0, 0])
    expect([broker.stderr(), authority.program.stderr()]).toEqual(['', ''])
  })

  test('an authority by plain HTTP elsewhere is refused at the start', async ({
    onTestFinished,
  }) => {
    const { startBroker } = await openTwo(onTestFinished)
    const broker = await startBroker('http://auth.example')
    expect(await endOf(broker)).toEqual({ code: 1, signal: null })
    expect([broker.stdout(), broker.stderr()]).toEqual([
      '',
      'lumo-broker: broker.json: broker.authority.url: must be https: over plain HTTP a proof could be read on the way\n',
    ])
  })

  test('a CA that did not sign is named in the log, and the right one is taken up', async ({
    onTestFinished,
  }) => {
    const { at, ca, startAuthority, startBroker } = await openTwo(onTestFinished)
    const { url } = await startAuthority()
    await writeFile(at('ca.pem'), (await makeCa('Another CA')).pem)
    const broker = await startBroker(url)
    const address = await addressOf(broker, 'broker')
    expect(await askAt(address)).toEqual(unavailable)
    const line = await broker.until((stdout) =>
      linesOf(stdout).find(({ msg }) => msg === 'an exchange brought no token'),
    )
    await writeFile(at('ca.pem'), ca.pem)
    await poll(
      () => askAt(address),
      ({ status }) => status === 200,
    )
    expect(line).toMatchObject({
      level: 'warn',
      outcome: 'outage',
      error: 'authority_tls_untrusted',
      detail: expect.stringMatching(
        /^127\.0\.0\.1:\d+: its certificate is not trusted \([A-Z_]+\); does broker\.authority\.caFile hold the CA that signed it\?$/,
      ) as string,
    })
  })

  test('a certificate that is replaced on disk is shown to new connections', async ({
    onTestFinished,
  }) => {
    const { ca, startAuthority, writePair } = await openTwo(onTestFinished)
    const { port } = await startAuthority()
    const shown = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, ca: ca.pem }, () => {
          resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
          socket.destroy()
        })
        socket.on('error', reject)
      })
    const before = await shown()
    const after = await writePair()
    expect(after).not.toBe(before)
    await poll(shown, (fingerprint) => fingerprint === after)
  })

  test('an authority that dies leaves the cached token, and new ones come when it is back', async ({
    onTestFinished,
  }) => {
    const { startAuthority, startBroker, keysOf } = await openTwo(onTestFinished)
    const authority = await startAuthority()
    const address = await addressOf(await startBroker(authority.url), 'broker')
    const held = await askAt(address)
    expect(held.status).toBe(200)

    await authority.program.end('SIGKILL')
    expect(await askAt(address)).toEqual(held)
    expect(await askAt(address, FILES)).toEqual(unavailable)

    const keys = await keysOf((await startAuthority(authority.port)).url)
    const fresh = await askAt(address, FILES)
    const verified = await jwtVerify(fresh.token ?? '', keys, { issuer: ISSUER })
    expect(verified.payload.aud).toBe(FILES)
    const still = await jwtVerify(held.token ?? '', keys, { issuer: ISSUER, audience: DOCS })
    expect(still.payload.sub).toBe('agent:doc-analyst')
  })

  test('a sidecar that is refused at the start ends with a sentence for the kubelet', async ({
    onTestFinished,
  }) => {
    const { at, startAuthority, startBroker, writeProof } = await openTwo(onTestFinished)
    const { url } = await startAuthority()
    await writeProof(stranger)
    await writeFile(at('termination-log'), '')
    const broker = await startBroker(url)
    expect(await endOf(broker)).toEqual({ code: 1, signal: null })
    const message = await readFile(at('termination-log'), 'utf8')
    expect(message).toMatch(
      /^the authority refuses a token to this workload \(invalid_request\)\. It is system:serviceaccount:[a-z:-]+ of https?:\/\/[^\n]+\n$/,
    )
    const last = linesOf(broker.stdout()).at(-1)
    expect(last).toMatchObject({ level: 'error', msg: message.trimEnd() })
  })
})
