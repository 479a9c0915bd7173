import assert from 'node:assert/strict'
import {
  CHART_SYSTEM,
  FULLNAME,
  helm,
  installing,
  plainPod,
  said,
  stays,
  values,
} from '../../chart.ts'
import type { Cluster } from '../../cluster.ts'
import { until, type Case } from '../../world.ts'
import { keysOf } from './install.ts'

/** What the notes of the release name. */
const KEPT = [
  `persistentvolumeclaim/state-${FULLNAME}-authority-0`,
  `secret/${FULLNAME}-ca`,
  `secret/${FULLNAME}-key-encryption`,
]
const KINDS = 'all,secret,configmap,pvc,lease,role,rolebinding,networkpolicy,serviceaccount,pdb'
const WIDE =
  'clusterrole,clusterrolebinding,mutatingwebhookconfiguration,validatingadmissionpolicy,validatingadmissionpolicybinding'

async function uninstall(cluster: Cluster): Promise<void> {
  await helm(cluster, ['uninstall', FULLNAME, '--wait', '--timeout', '3m'])
}

async function untilLeft(cluster: Cluster, expected: readonly string[]): Promise<void> {
  const ours = ['-l', `app.kubernetes.io/instance=${FULLNAME}`, '-o', 'name']
  await until('nothing to be left but what the notes name', async () => {
    const named = await cluster.kubectl('-n', CHART_SYSTEM, 'get', KINDS, ...ours)
    assert.deepEqual(named.split('\n').filter(Boolean).toSorted(), expected)
    return true
  })
  assert.equal(await cluster.kubectl('get', WIDE, ...ours), '')
}

/** What stays is what the notes name; installed again, without server-side apply this time, it goes on with the same keys. */
export const chartUninstall: Case = {
  name: 'chart uninstall',
  async run({ cluster }) {
    const before = await keysOf(cluster)
    await uninstall(cluster)
    await untilLeft(cluster, KEPT)
    await helm(cluster, installing('--server-side=false'))
    assert.deepEqual(await keysOf(cluster), before)
    await cluster.apply(plainPod('again', { script: stays }))
    assert.equal((await said(cluster, 'again')).trim(), '200 agent:self')
  },
}

/** With `persistence.keep: false` nothing stays. */
export const chartNothingKept: Case = {
  name: 'chart nothing kept',
  async run({ cluster }) {
    const persistence = { keep: false }
    await helm(cluster, installing(), { ...values, authority: { persistence } })
    await uninstall(cluster)
    await untilLeft(cluster, [])
  },
}
