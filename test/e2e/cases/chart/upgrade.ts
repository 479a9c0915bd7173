import assert from 'node:assert/strict'
import { helm, installing, logOf, plainPod, FULLNAME, said, values } from '../../chart.ts'
import type { Case } from '../../world.ts'

const loop = `
setInterval(() => fetch(process.env.LUMOAUTH_URL + '/v1/token', { headers: { 'lumo-broker': 'true' } })
  .then((answer) => console.log(answer.status), () => console.log('no answer')), 1000)`

/** An upgrade with other values, with server-side apply and without, and back, while a pod asks again and again. */
export const chartUpgrade: Case = {
  name: 'chart upgrade',
  async run({ cluster }) {
    await cluster.apply(plainPod('looping', { script: loop }))
    await said(cluster, 'looping')
    const changed = {
      ...values,
      node: { enabled: true },
      authority: { podAnnotations: { changed: 'true' } },
      webhook: { podAnnotations: { changed: 'true' } },
    }
    await helm(cluster, installing('--server-side=false'), changed)
    await helm(cluster, ['rollback', FULLNAME, '--wait', '--timeout', '5m'])
    await helm(cluster, installing(), changed)
    const text = await logOf(cluster, 'looping')
    const answers = text.trim().split('\n')
    assert.ok(answers.length > 5)
    assert.deepEqual([...new Set(answers)], ['200'])
  },
}
