import { parseDocument } from 'yaml'
import type { Policy } from '../src/policy/policy.ts'
import { provenIdentity, type WorkloadIdentity } from '../src/verifier/identity.ts'
import { collectGarbage } from './collect.ts'
import { median } from './median.ts'
import { paired } from './paired.ts'
import { CLUSTER_ISSUER } from './proof.ts'
import { policyOf, policyText, type Account } from './verify_world.ts'

const ROUNDS = 5
const COMPILE_MARK_MS = 1_000
const MATCH_MARK = 0.9
const SMALL = 100
const LARGE = 10_000
const CHECKS = 50_000
/** Workloads in turn: few enough that the caches of the processor hold what both policies say of them. */
const WORKLOADS = 16

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
  print(
    `one check with ${String(SMALL)} agents and with ${String(LARGE)}, ${String(WORKLOADS)} workloads in turn, processor time`,
  )
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
    `${String(LARGE)} agents, ${name}: compiled in ${compile.toFixed(0)} ms of processor time, mark ${String(COMPILE_MARK_MS)} ${compile < COMPILE_MARK_MS ? 'met' : 'MISSED'}; beside it the YAML parser ${yaml.toFixed(0)} ms for ${(text.length / 1_048_576).toFixed(1)} MB`,
  )
}

async function matchTime(name: string, shape: Shape): Promise<void> {
  const side = (name: string, size: number, workloads: number) => {
    const all = accountsOf(shape, size)
    const policy = policyOf(policyText(all.map(({ rule }) => rule)))
    const every = size / workloads
    const identities = Array.from({ length: workloads }, (_, index) =>
      identityOf(all[Math.floor(index * every)]?.account),
    )
    return { name, run: () => matchAll(policy, identities) }
  }
  const figures = await paired(
    [
      side('small', SMALL, WORKLOADS),
      side('large', LARGE, WORKLOADS),
      side('spread', LARGE, LARGE),
    ],
    ROUNDS,
  )
  const time = (name: string): number => figures(name).threadMicroseconds
  const ratio = time('small') / time('large')
  print(
    `  ${name.padEnd(47)} ${nanoseconds(time('small'))} ${nanoseconds(time('large'))}  ratio ${ratio.toFixed(2)}, mark ${String(MATCH_MARK)} ${ratio >= MATCH_MARK ? 'met' : 'MISSED'}; all ${String(LARGE)} workloads in turn ${nanoseconds(time('spread'))}`,
  )
}

function matchAll(policy: Policy, identities: readonly WorkloadIdentity[]): number {
  let done = 0
  while (done < CHECKS) {
    for (const identity of identities) {
      if (typeof policy.match(identity, undefined) === 'string') {
        throw new TypeError('a workload is not its agent')
      }
    }
    done += identities.length
  }
  return done
}

function accountsOf(shape: Shape, of: number): readonly ReturnType<Shape>[] {
  return Array.from({ length: of }, (_, index) => shape(index, of))
}

function identityOf(account: Account | undefined): WorkloadIdentity {
  const { namespace = '', serviceAccount = '' } = account ?? {}
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

/** Processor time of this thread in milliseconds: what it takes where nobody else is at work. */
function timed(work: () => unknown): number {
  collectGarbage()
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

function digits(index: number): string {
  return String(index).padStart(5, '0')
}

function nanoseconds(microseconds: number): string {
  return `${(microseconds * 1000).toFixed(0).padStart(5)} ns`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
