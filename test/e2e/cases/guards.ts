import assert from 'node:assert/strict'
import { inApp } from '../pods.ts'
import type { Case } from '../world.ts'

const refusals = [
  { name: 'no header', headers: {}, code: 'guard_header_missing' },
  {
    name: 'foreign Host',
    headers: { 'Lumo-Broker': 'true', Host: 'broker.example.com:9180' },
    code: 'host_not_allowed',
  },
  {
    name: 'forwarded',
    headers: { 'Lumo-Broker': 'true', 'X-Forwarded-For': '10.0.0.1' },
    code: 'forwarded_request',
  },
] as const

/** What a tricked program or a browser sends is refused inside a real pod. */
export const guards: Case = {
  name: 'guards',
  async run({ cluster }) {
    for (const { name, headers, code } of refusals) {
      const script = `require('http').get({ host: '127.0.0.1', port: 9180, path: '/v1/token', headers: ${JSON.stringify(headers)} }, (r) => {
        let text = ''
        r.on('data', (part) => (text += part)).on('end', () => console.log(JSON.stringify({ status: r.statusCode, code: JSON.parse(text).code })))
      })`
      assert.deepEqual(await inApp(cluster, 'hello-agent', script), { status: 403, code }, name)
    }
  },
}
