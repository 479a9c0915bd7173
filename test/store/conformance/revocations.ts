import { expect } from 'vitest'
import { now, question, revocation } from '../records.ts'
import type { StoreTests } from './opened.ts'

const reached = [
  { name: 'its jti', row: { kind: 'jti', value: 'jti-1' } },
  { name: 'its grant', row: { kind: 'grant', value: 'grant-1' } },
  { name: 'its subject', row: { kind: 'subject', value: 'user-1' } },
  { name: 'an actor of it', row: { kind: 'subject', value: 'agent-1' } },
  { name: 'its client', row: { kind: 'client', value: 'reporter' } },
  { name: 'the client of an actor', row: { kind: 'client', value: 'agent-1' } },
  {
    name: 'its subject with the client of an actor',
    row: { kind: 'pair', value: 'user-1 agent-1' },
  },
  { name: 'its tenant', row: { kind: 'tenant', value: '' } },
  { name: 'a second after it was issued', row: { notBefore: now + 1 } },
] as const

const unreached = [
  { name: 'a second before it was issued', row: { notBefore: now - 1 } },
  { name: 'another tenant', row: { tenant: 'globex', kind: 'tenant', value: '' } },
  { name: 'the same grant of another tenant', row: { tenant: 'globex' } },
  { name: 'another jti', row: { kind: 'jti', value: 'jti-2' } },
  { name: 'a subject that is called as its grant is', row: { kind: 'subject', value: 'grant-1' } },
  { name: 'a client that is called as its subject is', row: { kind: 'client', value: 'user-1' } },
  {
    name: 'a subject that is called as its client is',
    row: { kind: 'subject', value: 'reporter' },
  },
  { name: 'another subject with its client', row: { kind: 'pair', value: 'user-2 reporter' } },
  { name: 'a jti in other letters', row: { kind: 'jti', value: 'JTI-1' } },
] as const

export function revocationConformance({ group, test }: StoreTests): void {
  group('a revocation', () => {
    test('there is none at first', async ([one]) => {
      expect(await one.isRevoked(question({ issuedAt: 0 }))).toBe(false)
    })

    for (const { name, row } of reached) {
      test(`reaches a token by ${name}`, async ([one, other]) => {
        await one.revoke([revocation(row)])
        expect(await other.isRevoked(question())).toBe(true)
      })
    }

    for (const { name, row } of unreached) {
      test(`does not reach a token by ${name}`, async ([one, other]) => {
        await one.revoke([revocation(row)])
        expect(await other.isRevoked(question())).toBe(false)
      })
    }

    test('of a jti does not reach a family, which has none', async ([one]) => {
      await one.revoke([revocation({ kind: 'jti', value: 'jti-1' })])
      expect(await one.isRevoked(question({ jtis: [] }))).toBe(false)
      await one.revoke([revocation()])
      expect(await one.isRevoked(question({ jtis: [] }))).toBe(true)
    })

    test('is found at the end of a long chain, and where there are no names', async ([one]) => {
      const subjects = Array.from({ length: 100 }, (_, n) => `agent-${String(n)}`)
      await one.revoke([revocation({ kind: 'subject', value: 'agent-99' })])
      expect(await one.isRevoked(question({ subjects }))).toBe(true)
      expect(await one.isRevoked(question({ subjects: subjects.slice(0, 99) }))).toBe(false)
      expect(await one.isRevoked(question({ subjects: [], clients: [] }))).toBe(false)
    })

    test('several are written together', async ([one, other]) => {
      await one.revoke([
        revocation({ kind: 'jti', value: 'jti-9' }),
        revocation({ kind: 'client', value: 'client-9' }),
      ])
      expect(await other.isRevoked(question({ jtis: ['jti-9'] }))).toBe(true)
      expect(await other.isRevoked(question({ clients: ['client-9'] }))).toBe(true)
      await one.revoke([])
    })
  })

  group('of two revocations of one thing', () => {
    for (const [first, second] of [
      [now + 5, now],
      [now, now + 5],
    ] as const) {
      const order = first > second ? 'before' : 'after'
      test(`the later moment counts, written ${order} the earlier`, async ([one, other]) => {
        await one.revoke([revocation({ notBefore: first })])
        await other.revoke([revocation({ notBefore: second })])
        expect(await one.isRevoked(question({ issuedAt: now + 5 }))).toBe(true)
        expect(await one.isRevoked(question({ issuedAt: now + 6 }))).toBe(false)
      })

      test(`the later end counts, written ${order} the earlier`, async ([one, other]) => {
        await one.revoke([revocation({ expiresAt: first })])
        await other.revoke([revocation({ expiresAt: second })])
        await one.prune(now + 4)
        expect(await one.isRevoked(question())).toBe(true)
        await one.prune(now + 5)
        expect(await one.isRevoked(question())).toBe(false)
      })
    }
  })
}
