import { afterEach, beforeEach, expect, test } from 'vitest'
import { actingBroker, type ActingBroker } from '../delegation_places.ts'

let broker: ActingBroker

beforeEach(async () => {
  broker = await actingBroker()
})

afterEach(() => broker.close())

test('a session ends, and what is known of its subject token without one goes on and ends in its time', async () => {
  const { actFor, ask, clock, workload } = broker
  const { subjects, delegations } = workload
  const { json } = await ask('exchange')
  expect([...subjects.all()].map(({ isSession }) => isSession)).toEqual([true, false])
  expect((await ask('endSession')).status).toBe(204)
  expect([...subjects.all()].map(({ isSession }) => isSession)).toEqual([false])
  expect((await ask('exchange')).json['access_token']).toBe(json['access_token'])
  expect((await ask('handle')).status).toBe(202)
  // What nobody ends would hold the place of another subject for ever.
  clock.advance(3_600_000)
  subjects.sweep()
  actFor({ sub: 'user_b' })
  expect((await ask('beginSession')).status).toBe(201)
  expect([[...subjects.all()].length, delegations.subjects]).toEqual([1, 0])
})
