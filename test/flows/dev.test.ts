import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { freePorts, occupy, release } from '../fakes/ports.ts'
import { endOf, openScene, poll, type Program } from '../fakes/program.ts'

const shell = promisify(execFile)

/** Of the authority, the cluster issuer, the demo application, the broker and the operations listener, from the first. */
const DISTANCES = { authority: 0, cluster: 1, demoApp: 2, broker: 10, operations: 20 }

type Role = keyof typeof DISTANCES

async function openDev(onTestFinished: Parameters<typeof openScene>[0]) {
  const scene = await openScene(onTestFinished)
  const first = await freePorts(Object.values(DISTANCES))
  const portOf = (role: Role) => first + DISTANCES[role]
  const url = (role: Role) => `http://127.0.0.1:${String(portOf(role))}`
  const start = (state = 'state', port = first) =>
    scene.start('dev', '--state', state, '--first-port', String(port))
  return {
    ...scene,
    scene,
    portOf,
    url,
    start,
    issuer: `${url('authority')}/t/acme-corp/api/v1`,
    ready: async () => {
      const program = start()
      await program.until((stdout) => (stdout.includes('Ctrl-C ends it.') ? true : undefined))
      return program
    },
    tokenFor: async (audience: string) => {
      const answer = await fetch(`${url('broker')}/v1/token?audience=${audience}`, {
        headers: { 'Lumo-Broker': 'true' },
      })
      const { error } = (await answer.json()) as { error?: string }
      return { status: answer.status, ...(error !== undefined && { error }) }
    },
  }
}

/** Verifies as a resource server does, which knows the issuer and nothing else. */
async function verify(issuer: string, token: unknown, audience: string) {
  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`)
  const metadata = (await discovery.json()) as { issuer: string; jwks_uri: string }
  expect(metadata.issuer).toBe(issuer)
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
  const options = { issuer, audience, typ: 'at+jwt', algorithms: ['RS256'] }
  return (await jwtVerify(String(token), keys, options)).payload
}

describe.concurrent('lumo-broker dev', () => {
  test('runs the commands that it prints, in the folder in which it was started', async ({
    onTestFinished,
  }) => {
    const { folder, issuer, ready } = await openDev(onTestFinished)
    const program = await ready()
    expect(program.stdout()).toContain('\nlumo-broker is ready.\n')
    const lines = program.stdout().split('\n')
    const commands = lines.map((line) => line.trim()).filter((line) => line.startsWith('curl '))
    expect(commands).toHaveLength(4)
    const [forPod = '', dropIn = '', forClient = '', metrics = ''] = await Promise.all(
      commands.map(async (command) => (await shell('sh', ['-c', command], { cwd: folder })).stdout),
    )
    const podToken = JSON.parse(forPod) as Record<string, unknown>
    const scope = 'read:documents write:documents'
    expect(podToken).toMatchObject({ token_type: 'Bearer', scope })
    expect(
      await verify(issuer, podToken['access_token'], 'https://docs.example.com'),
    ).toMatchObject({ sub: 'agent:hello-agent', client_id: 'hello-agent', scope })
    const dropInToken = JSON.parse(dropIn) as Record<string, unknown>
    expect(await verify(issuer, dropInToken['access_token'], 'hello-agent')).toMatchObject({
      sub: 'agent:hello-agent',
    })
    const clientToken = JSON.parse(forClient) as Record<string, unknown>
    expect(await verify(issuer, clientToken['access_token'], 'reports')).toMatchObject({
      sub: 'reports',
      client_id: 'reports',
    })
    expect(metrics).toContain('lumo_tokens_issued_total{tenant="acme-corp",grant="token_exchange"}')
    const { code } = await program.end('SIGINT')
    expect([code, program.stderr()]).toEqual([0, ''])
  })

  test('leaves a configuration for the commands of operators', async ({ onTestFinished }) => {
    const { ready, scene } = await openDev(onTestFinished)
    await ready()
    const listing = scene.start('clients', 'list', '--config', 'state/config.json')
    const { code } = await listing.exited
    expect([code, listing.stderr()]).toEqual([0, ''])
    expect(listing.stdout()).toMatch(/^reports .*configuration$/m)
  })

  test('keeps its keys and its secret from one run to the next', async ({ onTestFinished }) => {
    const { at, issuer, ready } = await openDev(onTestFinished)
    const stateOf = async () => {
      const program = await ready()
      const answer = await fetch(`${issuer}/.well-known/jwks.json`)
      const state = {
        jwks: (await answer.json()) as { keys: unknown[] },
        secret: await readFile(at('state/client-secret'), 'utf8'),
      }
      expect((await program.end('SIGTERM')).code).toBe(0)
      return state
    }
    const before = await stateOf()
    expect(before.jwks.keys).toHaveLength(1)
    expect(await stateOf()).toEqual(before)
  })

  test('takes a changed policy up while it runs, and keeps the old one when it is broken', async ({
    onTestFinished,
  }) => {
    const { at, ready, tokenFor } = await openDev(onTestFinished)
    const program = await ready()
    const file = at('state/policy.yaml')
    const docs = 'https://docs.example.com'
    const good = await readFile(file, 'utf8')
    expect(await tokenFor(docs)).toEqual({ status: 200 })

    await writeFile(file, good.replace(docs, 'https://other.example.com'))
    const refused = await poll(
      () => tokenFor(docs),
      ({ status }) => status !== 200,
    )
    expect(refused).toEqual({ status: 400, error: 'invalid_target' })

    await writeFile(file, good)
    await poll(
      () => tokenFor(docs),
      ({ status }) => status === 200,
    )

    await writeFile(file, good.replace('serviceAccount', 'serviceAcount'))
    const line = await program.until((stdout) =>
      stdout.split('\n').find((text) => text.includes('a changed file was refused')),
    )
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      msg: 'a changed file was refused; the last good state stays',
      what: 'policy',
      reason: expect.stringContaining('serviceAcount: there is no such setting') as string,
    })
    expect(await tokenFor(docs)).toEqual({ status: 200 })
  })

  test('runs beside another in the same folder, each with its own proof', async ({
    onTestFinished,
  }) => {
    const { ready, start, tokenFor } = await openDev(onTestFinished)
    await ready()
    const other = await freePorts(Object.values(DISTANCES))
    const second = start('state', other)
    await second.until((stdout) => (stdout.includes('lumo-broker is ready.') ? true : undefined))
    // Not in the cache of the first, so it has to show its proof again.
    expect(await tokenFor('https://docs.example.com')).toEqual({ status: 200 })
  })

  test('says that there is no token where its policy gives none, and ends at once when asked', async ({
    onTestFinished,
  }) => {
    const { folder, ready, start } = await openDev(onTestFinished)
    const first = await ready()
    await first.end('SIGINT')
    await writeFile(join(folder, 'state', 'policy.yaml'), 'agents: []\n')
    const second = start()
    await second.until((stdout) => (stdout.includes('"reason":"unmatched"') ? true : undefined))
    expect(await second.end('SIGINT')).toMatchObject({ code: 0 })
    expect(second.stdout()).toContain('runs, but has no token yet')
  })
})

describe.concurrent('lumo-broker dev that cannot start says so in one line and ends', () => {
  const outcomeOf = async (program: Program) => {
    await program.until((_stdout, stderr) => (stderr.endsWith('\n') ? true : undefined))
    return [await endOf(program), program.stderr()]
  }

  test.for([
    ['authority', 'authority'],
    ['cluster', 'cluster issuer'],
    ['demoApp', 'demo application'],
    ['broker', 'broker'],
    ['operations', 'operations listener'],
  ] as const)('when the port of the %s is in use', async ([role, name], { onTestFinished }) => {
    const { portOf, start } = await openDev(onTestFinished)
    const port = portOf(role)
    const other = await occupy(port)
    onTestFinished(() => release(other))
    expect(await outcomeOf(start())).toEqual([
      { code: 1, signal: null },
      `lumo-broker: the ${name} cannot listen on 127.0.0.1:${String(port)}: another program already does; end it, or choose another port\n`,
    ])
  })

  test('when the folder of its state cannot be made', async ({ onTestFinished }) => {
    const { at, start } = await openDev(onTestFinished)
    await writeFile(at('file'), '')
    expect(await outcomeOf(start('file/state'))).toEqual([
      { code: 1, signal: null },
      `lumo-broker: the folder ${at('file/state')} cannot be used for the state (ENOTDIR)\n`,
    ])
  })
})
