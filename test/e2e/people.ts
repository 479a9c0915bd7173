import { randomUUID } from 'node:crypto'
import { bundle } from './bundle.ts'
import { CHART_SYSTEM, FULLNAME } from './chart.ts'
import type { Cluster } from './cluster.ts'
import { DEMO } from './pods.ts'
import { notebook } from './registrations.ts'
import { until } from './world.ts'

/** Before it Node shows the line that failed, which is the whole program. */
const STDERR_SHOWN = 500

export interface Person {
  readonly sub: string
  /** Their access token, as the client has it that they signed in to. */
  readonly token: string
}

/** Runs `lumo-broker` in the pod of the chart's authority, as its operator does; what it prints. */
export function operate(cluster: Cluster, ...command: readonly string[]): Promise<string> {
  const all = ['lumo-broker', ...command, '--config', '/etc/lumo/config/config.yaml']
  return cluster.exec(CHART_SYSTEM, `${FULLNAME}-authority-0`, 'authority', all)
}

/** Somebody new, who has just signed in. `pod` is one that trusts the authority. */
export async function newPerson(cluster: Cluster, name: string, pod: string): Promise<Person> {
  const email = `${name}-${randomUUID()}@example.com`
  const added = await operate(cluster, 'users', 'add', '--email', email)
  const [, sub = ''] = /^sub: (\S+)$/m.exec(added) ?? []
  const [, password = ''] = /^password: (\S+)$/m.exec(added) ?? []
  const wish = { ...notebook, email, password }
  const program = ['node', '--input-type=module', '-', JSON.stringify(wish)]
  const code = await bundle('sign_in.ts')
  // The kubelet may still be bringing the client that they sign in to.
  return until(`${email} to sign in`, async () => {
    const command = ['-n', DEMO, 'exec', '-i', pod, '-c', 'app', '--', ...program]
    const { code: status, stdout, stderr } = await cluster.tryKubectl(command, code)
    if (status !== 0) throw new Error(stderr.slice(-STDERR_SHOWN))
    return { sub, token: stdout.trim() }
  })
}
