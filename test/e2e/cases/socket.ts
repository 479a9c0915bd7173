import assert from 'node:assert/strict'
import { APP_IMAGE } from '../cluster.ts'
import { agentPod, DEMO, untilReady, withContainer } from '../pods.ts'
import type { Case } from '../world.ts'
import { brokerConfig } from './bad_setup.ts'

const POD = 'socket'
const FOLDER = '/run/lumo'

/** Asks over the socket and over TCP; what came of each. */
const ask = `
const { get } = require('http')
const how = [{ socketPath: '${FOLDER}/broker.sock', host: 'localhost' }, { host: '127.0.0.1', port: 9180 }, { host: '::1', port: 9180 }]
Promise.all(how.map((to) => new Promise((done) => {
  get({ ...to, path: '/v1/token', headers: { 'Lumo-Broker': 'true' } }, (r) => done(r.resume().statusCode)).on('error', (e) => done(e.code))
}))).then((all) => console.log(JSON.stringify(all)))`

/** The socket is mounted into one of two containers: the other one of the same pod gets nothing. */
export const socket: Case = {
  name: 'socket',
  async begin({ cluster }) {
    const config = await brokerConfig(POD, (broker) => {
      Object.assign(broker, { listen: [`unix:${FOLDER}/broker.sock`] })
    })
    const pod = await agentPod(POD, {
      config: POD,
      shared: { name: 'socket', mountPath: FOLDER },
    })
    await cluster.apply(config, withContainer(pod, 'other', APP_IMAGE))
    await untilReady(cluster, POD)
  },
  async run({ cluster }) {
    const said = async (container: string): Promise<unknown> =>
      JSON.parse(await cluster.exec(DEMO, POD, container, ['node', '-e', ask]))
    assert.deepEqual(await said('app'), [200, 'ECONNREFUSED', 'ECONNREFUSED'])
    assert.deepEqual(await said('other'), ['ENOENT', 'ECONNREFUSED', 'ECONNREFUSED'])
  },
}
