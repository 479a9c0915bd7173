import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { parse } from 'yaml'
import { DEMO_EMAIL, ensureDemoUser } from '../../src/compose/demo_user.ts'
import { openLog } from '../../src/ops/log.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { appServer, signInUrl } from './app.ts'
import {
  agentNames,
  authorityDocument,
  brokerDocument,
  callbackOf,
  CLIENT,
  DOCUMENTS,
  issuerOf,
  TENANT,
  trustPolicy,
} from './configuration.ts'
import { documentsServer } from './documents.ts'
import type { Place, Places } from './places.ts'
import { CLUSTER_ISSUER, startPods } from './pods.ts'
import { startProgram } from './programs.ts'

const surroundings = { clock: systemClock, random: systemRandom }

/** Everything that the examples need around them, on the loopback. */
export interface World {
  /** Where a person signs in, so that there is a user for whom agents can act. */
  readonly signIn: { readonly url: string; readonly email: string; readonly password: string }
  /** Where they see who acts for them, and are asked. */
  readonly accountUrl: string
  stop(): Promise<void>
}

/**
 * An authority, a broker for each agent with the proof of its pod, an application with a user, and an API. What they
 * keep lies in the folder, and begins anew with each start.
 */
export async function startWorld(folder: string, places: Places): Promise<World> {
  const running: (() => void | Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(running.splice(0).map(async (end) => end()))
  }
  try {
    // First: where another world has the port, its folder stays as it is.
    running.push(await listenAt(documentsOf(places), 'documents', places))
    const { password, clientSecret } = await layOut(folder, places)
    const log = await openLog({ level: 'warn', format: 'auto' }, process.stdout)
    running.push(await startPods(folder, issuerOf(places), { ...surroundings, log }))
    const app = appOptions(folder, places, clientSecret)
    running.push(await listenAt(appServer(app), 'app', places))
    for (const name of ['authority', ...agentNames]) {
      running.push(await startProgram(join(folder, `${name}.json`)))
    }
    return {
      signIn: { url: signInUrl(app), email: DEMO_EMAIL, password },
      accountUrl: `${issuerOf(places)}/account`,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What a world leaves behind that the next one does not write anew. */
const kept = ['user-token', 'authority.sqlite', 'authority.sqlite-wal', 'authority.sqlite-shm']

/** Writes the configurations, and the secrets that they name. */
async function layOut(folder: string, places: Places) {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const old of kept) await rm(join(folder, old), { force: true })
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 })
  const [password, clientSecret] = [newSecret(), newSecret()]
  await write('key-encryption', systemRandom.bytes(32).toString('base64'))
  await write('policy.yaml', trustPolicy(places))
  const digest = createHash('sha256').update(clientSecret).digest('base64url')
  const files = { folder, clusterIssuer: CLUSTER_ISSUER, clientSecretHash: `sha256:${digest}` }
  await write('authority.json', JSON.stringify(authorityDocument(places, files), null, 2))
  for (const name of agentNames) {
    const more = name === 'reader' ? await proxySection(places) : {}
    await write(`${name}.json`, JSON.stringify(brokerDocument(places, folder, name, more), null, 2))
  }
  await ensureDemoUser(join(folder, 'authority.sqlite'), TENANT, password, surroundings)
  return { password, clientSecret }
}

function newSecret(): string {
  return systemRandom.bytes(18).toString('base64url')
}

const proxyFile = new URL('../proxy-agent/broker.yaml', import.meta.url)

/** The proxy of the file that the example shows, for where this world listens. */
async function proxySection(places: Places): Promise<object> {
  const text = (await readFile(proxyFile, 'utf8'))
    .replaceAll('127.0.0.1:9181', places.addressOf('proxy'))
    .replaceAll('127.0.0.1:9173', places.addressOf('documents'))
  const { broker } = parse(text) as { readonly broker: { readonly proxy: object } }
  return { proxy: broker.proxy }
}

function appOptions(folder: string, places: Places, clientSecret: string) {
  return {
    issuer: issuerOf(places),
    clientId: CLIENT,
    clientSecret,
    redirectUri: callbackOf(places),
    tokenFile: join(folder, 'user-token'),
  }
}

function documentsOf(places: Places): Server {
  const actors = new Set(agentNames.map((name) => `agent:${name}`))
  return documentsServer({ issuer: issuerOf(places), audience: DOCUMENTS, actors })
}

function takenAt(place: Place, places: Places): string {
  return `another program listens on ${places.addressOf(place)} already: end it (npm start has the same ports), or use --first-port`
}

/** Gives what closes the server again. */
async function listenAt(server: Server, place: Place, places: Places): Promise<() => void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(takenAt(place, places)) : error)
    })
    server.listen({ host: '127.0.0.1', port: places.portOf(place) }, resolve)
  })
  return () => {
    server.close()
    server.closeAllConnections()
  }
}
