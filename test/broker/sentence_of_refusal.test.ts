import { expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { sentenceOfRefusal } from '../../src/broker/sentence_of_refusal.ts'
import { ask, proofAudience, testBroker, type TestBroker } from '../fakes/broker.ts'

const at = { tenant: 'acme-corp', proofAudience }
const refusal = new BrokerError('authority_refused', { error: 'invalid_request' })

function sentence({ workload }: TestBroker, agent?: string): string {
  return sentenceOfRefusal(refusal, workload.proofs, agent, at)
}

test('says whom the proof is of, where it is from, what it is for, and which agent was asked for', async () => {
  const broker = testBroker()
  await ask(broker)
  expect(sentence(broker, 'reader')).toMatch(
    new RegExp(
      '^the authority refuses a token to this workload \\(invalid_request\\)\\. ' +
        'It is system:serviceaccount:research:doc-analyst of https://cluster\\.example, ' +
        `by a proof for the audience ${proofAudience}; it asked tenant acme-corp for a token of the agent reader\\. Does`,
    ),
  )
})

test.each([
  ['invalid_request', 'Does the trust policy have an agent for this namespace'],
  ['invalid_target', 'The agent is known, and may not have this target or scope: add it'],
  ['invalid_scope', 'The agent is known, and may not have this target or scope: add it'],
])('says of %s what to do', (error, advice) => {
  const { workload } = testBroker()
  const refused = new BrokerError('request_refused', { error })
  expect(sentenceOfRefusal(refused, workload.proofs, undefined, at)).toContain(`. ${advice}`)
})

test('without a proof or a named agent, that neither is known', () => {
  expect(sentence(testBroker())).toContain(
    'It is whoever its proof names; it asked tenant acme-corp for a token of whatever agent that is.',
  )
})

test('shows nothing of a token that a terminal would not like, and no more than helps', () => {
  const sub = `\u001b[31m${'x'.repeat(500)}`
  const known = { subject: { issuer: 'a\nb', sub, instance: 'i' }, expiresAt: 0 }
  const shown = sentenceOfRefusal(refusal, { last: () => known }, undefined, at)
  expect(shown).toContain(`It is ?[31m${'x'.repeat(195)} of a?b,`)
})
