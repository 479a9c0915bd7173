import assert from 'node:assert/strict'
import { SYSTEM } from '../authority.ts'
import { DEMO } from '../pods.ts'
import type { Case } from '../world.ts'

interface AuditEvent {
  readonly requestURI: string
  readonly verb: string
  readonly user: { readonly username: string }
  readonly responseStatus?: { readonly code: number }
}

/** Our permissions are enough: the API server refused nothing of ours. And they are used: the keys were read with them. */
export const audit: Case = {
  name: 'audit log',
  async run({ cluster }) {
    const text = await cluster.nodeFile('/var/log/kubernetes/audit.log')
    const ours = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ user }) => isOurs(user.username))
    const refused = ours.filter(({ responseStatus }) => (responseStatus?.code ?? 0) === 403)
    assert.deepEqual(
      refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
      [],
    )
    const asked = new Set(ours.map(({ verb, requestURI }) => `${verb} ${requestURI}`))
    assert.deepEqual([...asked], ['get /openid/v1/jwks'])
  },
}

function isOurs(username: string): boolean {
  return [SYSTEM, DEMO].some((namespace) =>
    username.startsWith(`system:serviceaccount:${namespace}:`),
  )
}
