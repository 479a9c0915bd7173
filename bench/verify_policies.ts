import { parseDocument } from 'yaml'
import type { Policy } from '../src/policy/policy.ts'
import { provenIdentity, type WorkloadIdentity } from '../src/verifier/identity.ts'
import { median } from './median.ts'
import { paired } from './paired.ts'
import { CLUSTER_ISSUER } from './proof.ts'
import { policyOf, policyText, type Account } from './verify_world.ts'

const ROUNDS = 5
const COMPILE_MARK_MS = 1_000
const MATCH_MARK = 0.9
const SMALL = 100
const LARGE = 10_000
const CHECKS = 20_000

/** One rule and an account that it is meant for; at `index` of `of` agents. */
type Shape = (index: number, of: number) => { readonly rule: Account; readonly account: Account }

const exact: Shape = (index) => {
  const account = { namespace: `team-${digits(index)}`, serviceAccount: `worker-${digits(index)}` }
  return { rule: account, account }
}

/** A star in the account, in the namespace, or in both, one after the other. */
const starred: Shape = (index, of) => {
  const { account } = exact(index, of)
  const rules: readonly Account[] = [
    { ...account, serviceAccount: `${account.serviceAccount}-*` },
    { ...account, namespace: `${account.namespace}-*` },
    { namespace: `*-${account.namespace}`, serviceAccount: '*' },
  ]
  const accounts: readonly Account[] = [
    { ...account, serviceAccount: `${account.serviceAccount}-a` },
    { ...account, namespace: `${account.namespace}-prod` },
    { namespace: `eu-${account.namespace}`, serviceAccount: 'default' },
  ]
  return { rule: rules[index % 3] ?? account, account: accounts[index % 3] ?? account }
}

/** Half of the agents are the same account in namespaces of their own. */
const sameAccount: Shape = (index, of) => {
  if (index >= of / 2) return exact(index, of)
  const account = { namespace: `team-${digits(index)}`, serviceAccount: 'default' }
  return { rule: account, account }
}

/** The same, with stars behind the namespaces. */
const sameAccountStarred: Shape = (index, of) => {
  const { rule, account } = sameAccount(index, of)
  if (index >= of / 2) return { rule, account }
  return {
    rule: { ...rule, namespace: `${rule.namespace}-*` },
    account: { ...account, namespace: `${account.namespace}-prod` },
  }
}

/** A tenth of the agents have stars in the namespace and in the account. */
const bothStarred: Shape = (index, of) => {
  if (index >= of / 10) return exact(index, of)
  const { account } = exact(index, of)
  return {
    rule: { namespace: `${account.namespace}-*`, serviceAccount: `${account.serviceAccount}-*` },
    account: {
      namespace: `${account.namespace}-prod`,
      serviceAccount: `${account.serviceAccount}-a`,
    },
  }
}

const shapes: Readonly<Record<string, Shape>> = {
  'exact rules': exact,
  'rules with stars': starred,
  'half the same account, namespaces of their own': sameAccount,
  'half the same account, namespaces with a star': sameAccountStarred,
  'a tenth with stars in both': bothStarred,
}

/** The price of a large policy: once, when it is read, and for each proof. */
export async function benchPolicies(): Promise<void> {
  for (const [name, shape] of Object.entries(shapes).slice(0, 2)) compileTime(name, shape)
  print(`matching with ${String(LARGE)} agents beside ${String(SMALL)}`)
  for (const [name, shape] of Object.entries(shapes)) await matchTime(name, shape)
}

function compileTime(name: string, shape: Shape): void {
  const text = policyText(accountsOf(shape, LARGE).map(({ rule }) => rule))
  const rounds = Array.from({ length: ROUNDS }, () => ({
    yaml: timed(() =>
      parseDocument(text, { prettyErrors: false, uniqueKeys: false, schema: 'core' }).toJS(),
    ),
    whole: timed(() => policyOf(text)),
  }))
  const yaml = median(rounds.map((round) => round.yaml))
  const compile = median(rounds.map(({ whole, yaml }) => whole - yaml))
  print(
    `${String(LARGE)} agents, ${name}: compiled in ${compile.toFixed(0)} ms, mark ${String(COMPILE_MARK_MS)} ${compile < COMPILE_MARK_MS ? 'met' : 'MISSED'}; beside it the YAML parser ${yaml.toFixed(0)} ms for ${(text.length / 1_048_576).toFixed(1)} MB`,
  )
}

async function matchTime(name: string, shape: Shape): Promise<void> {
  const side = (name: string, size: number) => {
    const all = accountsOf(shape, size)
    const policy = policyOf(policyText(all.map(({ rule }) => rule)))
    // The same number of different workloads on both sides, or one of them would have the caches of the processor to itself.
    const asked = Array.from(
      { length: SMALL },
      (_, index) => all[Math.floor((index * size) / SMALL)],
    )
    const identities = asked.map((one) =>
      identityOf(one?.account ?? { namespace: '', serviceAccount: '' }),
    )
    return { name, run: () => matchAll(policy, identities) }
  }
  const figures = await paired([side('small', SMALL), side('large', LARGE)], ROUNDS)
  const [small, large] = [figures('small').cpuMicroseconds, figures('large').cpuMicroseconds]
  const ratio = small / large
  print(
    `  ${name.padEnd(48)} ${nanoseconds(small)} with ${String(SMALL)}, ${nanoseconds(large)} with ${String(LARGE)}, ratio ${ratio.toFixed(2)}, mark ${String(MATCH_MARK)} ${ratio >= MATCH_MARK ? 'met' : 'MISSED'}`,
  )
}

function matchAll(policy: Policy, identities: readonly WorkloadIdentity[]): number {
  for (let done = 0; done < CHECKS; done += identities.length) {
    for (const identity of identities) {
      if (typeof policy.match(identity, undefined) === 'string') {
        throw new TypeError('a workload is not its agent')
      }
    }
  }
  return CHECKS
}

function accountsOf(shape: Shape, of: number): readonly ReturnType<Shape>[] {
  return Array.from({ length: of }, (_, index) => shape(index, of))
}

function identityOf({ namespace, serviceAccount }: Account): WorkloadIdentity {
  return provenIdentity({
    kind: 'kubernetes',
    provider: 'bench',
    issuer: CLUSTER_ISSUER,
    subject: `system:serviceaccount:${namespace}:${serviceAccount}`,
    namespace,
    serviceAccount: { name: serviceAccount, uid: 'u' },
    pod: { name: 'p', uid: 'u' },
    node: undefined,
    expiresAt: 0,
  })
}

function timed(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function digits(index: number): string {
  return String(index).padStart(5, '0')
}

function nanoseconds(microseconds: number): string {
  return `${(microseconds * 1000).toFixed(0)} ns`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
