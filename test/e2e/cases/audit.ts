import assert from 'node:assert/strict'
import { SYSTEM } from '../authority.ts'
import { CHART_DEMO, FULLNAME, values } from '../chart.ts'
import type { Cluster } from '../cluster.ts'
import { allowedBy, unboundIn, usedBy, type AuditEvent } from '../permissions.ts'
import { DEMO } from '../pods.ts'
import type { Case } from '../world.ts'

/** Allowed by the chart's roles, and not used in a run of these tests: why it is allowed all the same. */
const notUsed: Readonly<Record<string, string>> = {}

/** Our permissions are enough: the API server refused nothing of ours while it was installed. And they are used, but for what is named here. */
export const audit: Case = {
  name: 'audit log',
  async run({ cluster }) {
    const events = await eventsOf(cluster)
    const ours = events.filter(({ user }) => isOurs(user.username))
    const unbound = unboundIn(events, FULLNAME)
    const refused = ours.filter(
      ({ responseStatus, user, requestReceivedTimestamp: at }) =>
        responseStatus?.code === 403 &&
        !(isOfChart(user.username) && unbound.some(({ from, to }) => from <= at && at <= to)),
    )
    assert.deepEqual(
      refused.map(({ verb, requestURI, user }) => `${user.username}: ${verb} ${requestURI}`),
      [],
    )
    const [ofChart, byHand] = [
      ours.filter(({ user }) => isOfChart(user.username)),
      ours.filter(({ user }) => !isOfChart(user.username)),
    ]
    const asked = new Set(byHand.map(({ verb, requestURI }) => `${verb} ${requestURI}`))
    assert.deepEqual([...asked], ['get /openid/v1/jwks'])
    const used = new Set(ofChart.map((event) => usedBy(event, FULLNAME)))
    const allowed = allowedBy({ ...values, node: { enabled: true } })
    assert.deepEqual(
      allowed.filter((one) => !used.has(one)).toSorted(),
      Object.keys(notUsed).toSorted(),
    )
  },
}

async function eventsOf(cluster: Cluster): Promise<readonly AuditEvent[]> {
  const text = await cluster.nodeFile('/var/log/kubernetes/audit.log')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEvent)
}

function isOurs(username: string): boolean {
  return [SYSTEM, DEMO, CHART_DEMO].some((namespace) =>
    username.startsWith(`system:serviceaccount:${namespace}:`),
  )
}

function isOfChart(username: string): boolean {
  return username.startsWith(`system:serviceaccount:${SYSTEM}:${FULLNAME}-`)
}
