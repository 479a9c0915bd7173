import { hash, verify } from 'node:crypto'
import { importJWK, jwtVerify } from 'jose'
import type { Policy } from '../src/policy/policy.ts'
import { CannotVerify, ProofRefusal } from '../src/verifier/refusal.ts'
import type { Providers } from '../src/verifier/registry.ts'
import { inFlight, paired, type Figure, type Side } from './paired.ts'
import { CLUSTER_ISSUER } from './proof.ts'
import {
  AUDIENCE,
  benchIssuer,
  policyOf,
  policyText,
  type Account,
  type BenchIssuer,
} from './verify_world.ts'
import { benchPolicies } from './verify_policies.ts'
import { benchMemory } from './verify_memory.ts'

const ROUNDS = 5
const MARK = 0.85
const IN_FLIGHT = 16
/** More than the memory of verdicts holds, and always in the same order: whatever comes again was pushed out before. */
const TOKENS = 12_000
const REPEATS = 20_000

/** One account for each agent: 50 of exact rules, 25 with a star in the account, 25 with a star in the namespace. */
const agents: readonly { readonly rule: Account; readonly account: Account }[] = Array.from(
  { length: 100 },
  (_, index) => {
    const account = {
      namespace: `team-${String(index)}`,
      serviceAccount: `worker-${String(index)}`,
    }
    if (index < 50) return { rule: account, account }
    if (index < 75) return { rule: { ...account, serviceAccount: 'worker-*' }, account }
    const namespace = `stage-${String(index)}`
    return { rule: { ...account, namespace: 'stage-*' }, account: { ...account, namespace } }
  },
)

/**
 * What the verification of a proof costs beside the bare libraries, and what a large policy costs beside a small one. All
 * in this process and on this machine, in paired rounds.
 */
export async function bench(): Promise<void> {
  const policy = policyOf(policyText(agents.map(({ rule }) => rule)))
  for (const algorithm of ['RS256', 'ES256'] as const) {
    const issuer = benchIssuer(algorithm)
    const tokens = Array.from({ length: TOKENS }, (_, index) =>
      issuer.token(agents[index % agents.length]?.account ?? { namespace: '', serviceAccount: '' }),
    )
    await firstTime(issuer, tokens, policy)
    await repeated(issuer, tokens, policy)
    if (algorithm === 'ES256') await benchMemory(issuer, tokens)
  }
  await benchPolicies()
}

/** A proof from its text to the agent that it is. */
async function judge(providers: Providers, policy: Policy, token: string): Promise<void> {
  const identity = await providers.verify(token)
  if (identity instanceof ProofRefusal || identity instanceof CannotVerify) {
    throw new TypeError(`a good proof was refused: ${identity.detail}`)
  }
  const agent = policy.match(identity, undefined)
  if (typeof agent === 'string') throw new TypeError(`a proof fits no one agent: ${agent}`)
}

async function firstTime(
  issuer: BenchIssuer,
  tokens: readonly string[],
  policy: Policy,
): Promise<void> {
  const { algorithm, publicKey } = issuer
  const providers = issuer.providers()
  const key = await importJWK({ ...publicKey.export({ format: 'jwk' }), alg: algorithm })
  const expected = { issuer: CLUSTER_ISSUER, audience: AUDIENCE, algorithms: [algorithm] }
  const ours = (token: string): Promise<void> => judge(providers, policy, token)
  const jose = async (token: string): Promise<void> => {
    await jwtVerify(token, key, expected)
  }
  const figures = await paired(
    [
      { name: 'ours', run: () => inFlight(tokens, 1, ours) },
      { name: 'ours16', run: () => inFlight(tokens, IN_FLIGHT, ours) },
      { name: 'jose', run: () => inFlight(tokens, 1, jose) },
      { name: 'jose16', run: () => inFlight(tokens, IN_FLIGHT, jose) },
      bareCrypto(issuer, tokens),
    ],
    ROUNDS,
  )
  print(`${algorithm}, each token for the first time, 100 agents (50 with stars)`)
  printFigure('verify and match, serially', figures('ours'))
  printFigure('verify and match, 16 in flight', figures('ours16'))
  printFigure('jose jwtVerify, serially', figures('jose'))
  printFigure('jose jwtVerify, 16 in flight', figures('jose16'))
  printFigure('node:crypto verify, decoded ahead', figures('bare'))
  const best = (member: 'perSecond' | 'processMicroseconds', pick: (...of: number[]) => number) =>
    pick(figures('jose')[member], figures('jose16')[member])
  const rate = best('perSecond', Math.max)
  const time = best('processMicroseconds', Math.min)
  for (const [name, label] of [
    ['ours', 'serially'],
    ['ours16', '16 in flight'],
  ] as const) {
    const { perSecond, processMicroseconds } = figures(name)
    const ratio = perSecond / rate
    print(
      `  ${label.padEnd(12)} ${ratio.toFixed(2)} of the better of jose, mark ${String(MARK)} ${ratio >= MARK ? 'met' : 'MISSED'}; by processor time ${(time / processMicroseconds).toFixed(2)} of jose, ${(figures('bare').processMicroseconds / processMicroseconds).toFixed(2)} of bare node:crypto`,
    )
  }
}

/** The signature alone, of bytes that were split and decoded before: what nobody can be faster than. */
function bareCrypto({ algorithm, publicKey }: BenchIssuer, tokens: readonly string[]): Side {
  const key =
    algorithm === 'ES256' ? ({ key: publicKey, dsaEncoding: 'ieee-p1363' } as const) : publicKey
  const signed = tokens.map((token) => {
    const end = token.lastIndexOf('.')
    return {
      data: Buffer.from(token.slice(0, end)),
      signature: Buffer.from(token.slice(end + 1), 'base64url'),
    }
  })
  return {
    name: 'bare',
    run: () => {
      for (const { data, signature } of signed) {
        if (!verify('sha256', data, key, signature)) throw new TypeError('a good signature is bad')
      }
      return signed.length
    },
  }
}

async function repeated(
  issuer: BenchIssuer,
  tokens: readonly string[],
  policy: Policy,
): Promise<void> {
  const providers = issuer.providers()
  const first = issuer.providers()
  const [token = ''] = tokens
  const same: readonly string[] = Array.from({ length: REPEATS }, () => token)
  const figures = await paired(
    [
      { name: 'again', run: () => inFlight(same, 1, (one) => judge(providers, policy, one)) },
      { name: 'first', run: () => inFlight(tokens, 1, (one) => judge(first, policy, one)) },
      {
        name: 'hash',
        run: () => {
          for (const one of same) hash('sha256', one, 'base64url')
          return same.length
        },
      },
    ],
    ROUNDS,
  )
  const again = figures('again').perSecond
  print(`${issuer.algorithm}, one token again and again (${String(token.length)} characters)`)
  printFigure('verify and match, remembered', figures('again'))
  printFigure('verify and match, first time', figures('first'))
  printFigure('bare SHA-256 of the token', figures('hash'))
  print(
    `  remembered: ${(again / figures('first').perSecond).toFixed(1)} times the first time; ${(again / figures('hash').perSecond).toFixed(2)} of the bare hash; reading the token and its claims is the rest`,
  )
}

function printFigure(name: string, { perSecond, processMicroseconds }: Figure): void {
  print(
    `  ${name.padEnd(34)} ${perSecond.toFixed(0).padStart(8)}/s   ${(1e6 / perSecond).toFixed(2).padStart(7)} us   processor time ${processMicroseconds.toFixed(2).padStart(7)} us`,
  )
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
