import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { frontDoor, type FrontDoor } from '../fakes/front_door.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import type { Json } from '../fakes/running_authority.ts'
import { runBlock } from './block_runner.ts'
import { operate } from './operating.ts'
import { firstColumn, readPage } from './pages.ts'

const page = await readPage('docs/consent.md')
const blockOf = (mark: string) => page.blocks.find((block) => block.mark === mark)
const shown = page.blocks
  .filter(({ language }) => language === 'json')
  .map(({ text }) => JSON.parse(text) as Json)

let folder: string
let door: FrontDoor
let authority: Peopled

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-consent-'))
  door = await frontDoor()
  authority = await peopledAuthority({ origin: door.origin, clock: systemClock })
  door.leadTo(authority.port)
})

afterAll(async () => {
  await authority.stop()
  await door.close()
  await rm(folder, { recursive: true })
})

const delegated = async () =>
  authority.exchange({
    subject_token: await authority.userToken({ clientId: 'other-web', scope: 'read:documents' }),
    actor_token: await authority.agentToken('doc-analyst'),
    scope: 'read:documents',
  })

test('an agent is told what the page shows, and asks for the answer as it shows', async () => {
  const [refusal, status] = shown
  const { status: code, json } = await delegated()
  expect(code).toBe(403)
  expect({ ...json, approval: refusal?.['approval'] }).toEqual(refusal)
  const printed = await runBlock(
    blockOf('status') ?? { language: 'sh', text: '' },
    'status',
    folder,
    {
      ISSUER: `${door.origin}/t/acme-corp/api/v1`,
      AGENT_TOKEN: await authority.agentToken('doc-analyst'),
      APPROVAL: String(json['approval']),
    },
  )
  const answer = JSON.parse(printed) as Json
  expect(Object.keys(answer)).toEqual(Object.keys(status ?? {}))
  expect(answer).toMatchObject({ status: 'pending', scope: 'read:documents' })
})

test('it names every status', () => {
  expect(firstColumn(page, '`status`')).toEqual(['pending', 'approved', 'denied', 'expired'])
})

test('its commands allow an agent something, and take it back with what it has', async () => {
  const lines = (blockOf('operate')?.text ?? '').trim().split('\n')
  const statuses: unknown[] = []
  const tokens: unknown[] = []
  for (const line of lines) {
    await operate(line, authority.folder, { SUB: 'user_a' })
    const { status, json } = await delegated()
    statuses.push(status)
    if (status === 200) tokens.push(json['access_token'])
  }
  expect(statuses).toEqual([200, 200, 403])
  for (const token of tokens) expect(await authority.introspect(token)).toEqual({ active: false })
})
