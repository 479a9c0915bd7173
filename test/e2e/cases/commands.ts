import assert from 'node:assert/strict'
import { agentPod, DEMO, SIDECAR, untilReady, withInit } from '../pods.ts'
import { BROKER_IMAGE } from '../cluster.ts'
import type { Case } from '../world.ts'

const POD = 'waits'

/** The commands for people in a pod, in an image without a shell; and an init container that waits for the first token. */
export const commands: Case = {
  name: 'commands',
  async begin({ cluster }) {
    await cluster.apply(withInit(await agentPod(POD), 'wait', BROKER_IMAGE, ['wait']))
    await untilReady(cluster, POD)
  },
  async run({ cluster }) {
    const run = (...given: readonly string[]): Promise<string> =>
      cluster.exec(DEMO, POD, SIDECAR, ['lumo-broker', ...given])
    assert.match(await run('token'), /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)
    assert.match(await run('token', '--header'), /^Authorization: Bearer eyJ/)
    const { links } = JSON.parse(await run('doctor', '--json')) as {
      readonly links: readonly { readonly link: string; readonly state: string }[]
    }
    assert.deepEqual(
      links.map(({ link, state }) => [link, state]),
      'configuration proof claims clock dns tls authority policy broker cache token'
        .split(' ')
        .map((link) => [link, 'ok']),
    )
  },
}
