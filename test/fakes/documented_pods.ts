import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApplication, type Application } from '../../src/compose/application.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { makeCa } from './certificates.ts'
import { documentsApi } from './documents_api.ts'
import { guardValue } from './drop_in.ts'
import { frontDoor } from './front_door.ts'
import { peopledAuthority } from './peopled_authority.ts'
import { freePorts } from './ports.ts'
import { poll } from './program.ts'
import { docs, type Json } from './running_authority.ts'
import { testSurroundings } from './surroundings.ts'

/** What a page for application developers speaks of, on this machine. */
export interface DocumentedPods {
  readonly folder: string
  /** A text of the page with the addresses and files that stand for those it names. */
  readonly onThisMachine: (text: string) => string
  /** The opposite, for what was printed. */
  readonly asOnThePage: (text: string) => string
  readonly environment: Readonly<Record<string, string>>
  /** `127.0.0.1:PORT` of the broker in the pod. */
  readonly besidePod: string
  stop(): Promise<void>
}

/**
 * One pod of the agent `doc-analyst` with a broker beside it that keeps these files, one whose broker listens on a socket, one
 * that asks the broker of its node; before one authority, and an API that takes its tokens.
 */
export async function documentedPods(sinks: readonly Json[]): Promise<DocumentedPods> {
  const folder = await mkdtemp(join(tmpdir(), 'lumo-pods-'))
  const at = (name: string): string => join(folder, name)
  const door = await frontDoor()
  const authority = await peopledAuthority({ origin: door.origin, clock: systemClock })
  door.leadTo(authority.port)
  const api = await documentsApi({ issuer: `${door.origin}/t/acme-corp/api/v1`, audience: docs })
  const ca = await makeCa('Broker CA')
  const { cert, key } = await ca.issue()
  const files = { proof: await authority.proofOf('doc-analyst'), 'ca.crt': ca.pem, cert, key }
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text)

  const running: Application[] = []
  const start = async (broker: Json, operations = '127.0.0.1:0'): Promise<string> => {
    const upstream = { url: door.origin, tenant: 'acme-corp' }
    const document = {
      roles: ['broker'],
      operations: { listen: operations },
      broker: { authority: upstream, ...broker },
    }
    // The last is that of the pod with everything, where its commands look for it.
    await writeFile(at('config.yaml'), JSON.stringify(document))
    const application = await startApplication(resolveConfig(document, {}), testSurroundings())
    running.push(application)
    return application.addresses.broker[0] ?? ''
  }
  const cluster = {
    name: 'prod',
    kind: 'kubernetes',
    issuers: [authority.cluster.issuer],
    keys: { inline: await authority.cluster.jwks() },
  }
  const onNode = await start({
    shape: 'node',
    listen: ['127.0.0.1:0'],
    tls: { certFile: at('cert'), keyFile: at('key') },
    callers: { nodeName: 'worker-1', providers: [cluster] },
    shutdown: { drainDelay: 0 },
  })
  const proof = { file: at('proof') }
  await start({ proof, listen: [`unix:${at('broker.sock')}`] })
  const first = await freePorts([0, 1])
  const besidePod = await start(
    {
      proof,
      listen: [`127.0.0.1:${String(first)}`],
      dropIn: { secret: guardValue },
      sinks: sinks.map((sink) => keptHere(sink, folder)),
    },
    `127.0.0.1:${String(first + 1)}`,
  )
  const ready = (): boolean => running.every((application) => application.started())
  await poll(() => Promise.resolve(ready()), Boolean)

  const places = [
    ['lumo-broker.lumo-system.svc:9180', onNode],
    ['127.0.0.1:9180', besidePod],
    [`${docs}/documents`, `${api.origin}/documents`],
    ['/var/run/secrets/lumoauth.dev/proof/token', at('proof')],
    ['/etc/lumo/ca/ca.crt', at('ca.crt')],
    ['/etc/lumo/config/config.yaml', at('config.yaml')],
    ['/run/lumo/', `${folder}/`],
    ['/run/lumoauth/', `${folder}/`],
    ['https://auth.example.com', door.origin],
  ] as const
  return {
    folder,
    besidePod,
    onThisMachine: (text) =>
      places.reduce((changed, [shown, here]) => changed.replaceAll(shown, here), text),
    asOnThePage: (text) =>
      places.reduce((changed, [shown, here]) => changed.replaceAll(here, shown), text),
    environment: {
      AGENT_CLIENT_SECRET: guardValue,
      LUMO_CONFIG: at('config.yaml'),
      NODE_EXTRA_CA_CERTS: at('ca.crt'),
    },
    stop: async () => {
      for (const application of running.toReversed()) await application.stop()
      await api.close()
      await authority.stop()
      await door.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** A sink of the page, in a folder of this machine; its group is one that this process is in. */
function keptHere(sink: Json, folder: string): Json {
  return {
    ...sink,
    file: String(sink['file']).replace('/run/lumo', folder),
    ...(sink['group'] !== undefined && { group: process.getgid?.() }),
  }
}
