import assert from 'node:assert/strict'
import { APP_IMAGE, type Manifest } from '../cluster.ts'
import { agentPod, DEMO, SIDECAR, tokenIn, untilReady, withContainer } from '../pods.ts'
import { claimsOf } from '../verified.ts'
import type { Case } from '../world.ts'
import { brokerConfig } from './bad_setup.ts'

const POD = 'file-sink'
const FOLDER = '/run/lumo-tokens'
const FILE = `${FOLDER}/docs`
const AUDIENCE = 'https://docs.example.com'
const GROUP = 4_000
const READER = 'reader'
const READER_UID = 10_001

/** What a program that reads files sees there. */
const look = `
const { gid, mode, uid } = fs.statSync('${FILE}')
let written = 'written'
try { fs.writeFileSync('${FILE}', '') } catch (error) { written = error.code }
console.log(JSON.stringify({ me: process.getuid(), uid, gid, mode: (mode & 0o777).toString(8), written, token: fs.readFileSync('${FILE}', 'utf8') }))`

interface Seen {
  readonly token: string
}

/** A token lies in a file that a container with another user reads by its group, and that a container without the volume never sees. */
export const fileSink: Case = {
  name: 'file sink',
  async begin({ cluster }) {
    const config = await brokerConfig(POD, (broker) => {
      Object.assign(broker, {
        sinks: [{ file: FILE, audience: [AUDIENCE], mode: '0640', group: GROUP }],
      })
    })
    const pod = await agentPod(POD, {
      config: POD,
      shared: { name: 'tokens', mountPath: FOLDER },
    })
    await cluster.apply(config, asRead(withContainer(pod, READER, APP_IMAGE)))
  },
  async run({ cluster }) {
    await untilReady(cluster, POD)
    const seen = JSON.parse(await cluster.exec(DEMO, POD, READER, ['node', '-e', look])) as Seen
    const { token, ...file } = seen
    assert.deepEqual(file, {
      me: READER_UID,
      uid: 65_532,
      gid: GROUP,
      mode: '640',
      written: 'EACCES',
    })
    assert.equal((await claimsOf(cluster, token, AUDIENCE)).sub, 'agent:hello-agent')
    const asked = await tokenIn(cluster, POD, `?audience=${encodeURIComponent(AUDIENCE)}`)
    assert.equal(token, asked.access_token, 'the file holds what is served')
    const isThere = `console.log(fs.existsSync('${FOLDER}'))`
    assert.equal((await cluster.exec(DEMO, POD, 'app', ['node', '-e', isThere])).trim(), 'false')
    assert.match(
      await cluster.exec(DEMO, POD, SIDECAR, ['/usr/local/bin/node', '-p', folderType]),
      /^16914836\n$/,
      'memory, not a disk',
    )
  },
}

/** The magic number of a file system (statfs(2)); that of tmpfs is 0x01021994. */
const folderType = `fs.statfsSync('${FOLDER}').type`

interface Container {
  readonly name: string
  readonly securityContext: object
  readonly volumeMounts?: readonly { readonly name: string }[]
}

/** The volume goes to the reader, which runs as somebody else, instead of to the application; the pod has the group. */
function asRead(pod: Manifest): Manifest {
  const spec = pod['spec'] as {
    readonly securityContext: object
    readonly containers: readonly Container[]
  }
  const containers = spec.containers.map((container) =>
    container.name === READER
      ? {
          ...container,
          securityContext: {
            ...container.securityContext,
            runAsUser: READER_UID,
            runAsGroup: READER_UID,
          },
          volumeMounts: [{ name: 'tokens', mountPath: FOLDER, readOnly: true }],
        }
      : { ...container, volumeMounts: [] },
  )
  return {
    ...pod,
    spec: { ...spec, securityContext: { ...spec.securityContext, fsGroup: GROUP }, containers },
  }
}
