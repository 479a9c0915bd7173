import { describe, expect, test } from 'vitest'
import { ProofRefusal } from '../../src/verifier/refusal.ts'
import type { Platform } from '../fakes/platforms.ts'
import { outcomeOf } from '../fakes/provider.ts'
import { azure } from './cases/azure.ts'
import { everyKind } from './cases/every_kind.ts'
import { gcp } from './cases/gcp.ts'
import { kubernetes } from './cases/kubernetes.ts'
import { github, gitlab } from './cases/oidc.ts'
import type { Case } from './cases/token_case.ts'
import { webIdentity } from './cases/web_identity.ts'
import { World } from './cases/world.ts'

const world = new World()

const tables: readonly (readonly [platform: Platform, least: number, own: readonly Case[]])[] = [
  ['kubernetes', 60, kubernetes],
  ['web_identity', 30, webIdentity],
  ['gcp', 20, gcp],
  ['azure', 20, azure],
  ['azure_v2', 20, azure],
  ['github', 20, github],
  ['gitlab', 20, gitlab],
]

describe.each(tables)('a token of %s', (platform, least, own) => {
  test.each([...everyKind, ...own])('%s', async (_, changes, outcome) => {
    const token = world.token(platform, changes)
    const result = await world.judge(platform, token, changes)
    expect(outcomeOf(result)).toBe(outcome)
    if (result instanceof ProofRefusal) {
      for (const value of valuesOf(token)) expect(result.detail).not.toContain(value)
    }
  })
})

/** Every longer text that a token has for a value. */
function valuesOf(token: string): readonly string[] {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return [...payload.matchAll(/:\s*"([^"]{8,})"/g)].map(([, value = '']) => value)
}
