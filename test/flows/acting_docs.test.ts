import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codesAt, type Place } from '../../src/broker/api/places.ts'
import {
  GOOD_WITHOUT_ANSWER_MS,
  GOOD_WITHOUT_CHECK_MS,
  RECHECK_MS,
} from '../../src/broker/delegation/recheck.ts'
import { FLOOR_MS } from '../../src/broker/delegation/subject.ts'
import { BrokerError, type BrokerErrorCode } from '../../src/broker/errors.ts'
import { brokerSchema } from '../../src/config/broker_schema.ts'
import { counters, gauges, histograms } from '../../src/platform/metrics.ts'
import { runInProcess } from '../fakes/io.ts'
import { argumentsOf } from './seed_page.ts'
import { openExamples, type ExamplesWorld } from '../examples/examples_world.ts'
import { signInAnew, signInAsShown, type Person } from '../examples/person.ts'
import { readSteps, walk } from './page_steps.ts'
import { anchorsOf, firstColumn, linksOf, readPage, type Schema } from './pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readPage('docs/acting-for-someone.md')
const source = (file: string): Promise<string> => readFile(join(root, 'src', file), 'utf8')

let world: ExamplesWorld
let person: Person
/** What each step printed. */
let printed: readonly string[]

const steps = readSteps(page)

beforeAll(async () => {
  world = await openExamples()
  person = await signInAsShown(world)
  printed = await walk(world, steps, {
    'run approved': async () => void (await person.decide('approve')),
  })
})

afterAll(() => world.stop())

/** The cells of the rows of the table whose first heading this is, without backticks. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const tables = page.prose.split(/\n\n+/).filter((part) => part.startsWith(`| ${heading} `))
  const rows = tables.flatMap((table) => table.trim().split('\n').slice(2))
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}

const tokenIn = (text: string | undefined): string =>
  /"access_token":"([^"]+)"/.exec(text ?? '')?.[1] ?? ''

/** The own token of the workload of a broker. */
async function ownToken(place: 'orchestratorBroker' | 'specialistBroker'): Promise<string> {
  const answer = await fetch(`${world.places.urlOf(place)}/v1/token`, {
    headers: { 'Lumo-Broker': 'true' },
  })
  return tokenIn(await answer.text())
}

interface Act {
  readonly sub: string
  readonly act?: Act
}

function actorsOf(act: Act | undefined): readonly string[] {
  return act ? [act.sub, ...actorsOf(act.act)] : []
}

describe('the steps', () => {
  test.each(steps.map((step, index) => [step.block.text.trim(), index] as const))(
    'prints what the page shows: %s',
    (_, index) => {
      const shown = steps[index]?.shown
      const text = printed[index] ?? ''
      if (!shown) expect(text).toBe('')
      else if (!shown.matches(text)) expect(text).toBe(shown.block.text)
    },
  )

  test('every block is one, or is checked below', () => {
    const taken = new Set(steps.flatMap(({ block, shown }) => [block, shown?.block]))
    const others = page.blocks.filter((block) => !taken.has(block))
    expect(others.map(({ mark, language }) => mark ?? language)).toEqual([
      'text',
      'world',
      'operate',
    ])
  })

  test('begin with what the package runs', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>
    }
    const [command = ''] = page.blocks.filter(({ mark }) => mark === 'world').map((b) => b.text)
    expect(Object.keys(scripts).map((name) => `npm run ${name}`)).toContain(command.trim())
  })
})

describe('what is in which token', () => {
  test('is what the table says', async () => {
    const approved = printed.find((text) => text.includes('"approved"'))
    const second = printed.find((text) => text.includes('"actor_chain":["agent:orchestrator","'))
    const tokens = [
      person.token,
      await ownToken('orchestratorBroker'),
      tokenIn(approved),
      await ownToken('specialistBroker'),
      tokenIn(second),
    ]
    const actual = tokens.map((token) => {
      const { sub = '', aud, client_id: client, scope, act } = decodeJwt(token)
      const actors = actorsOf(act as Act | undefined)
      const who = actors.length === 0 ? 'nobody' : actors.join(' for ')
      return [sub === person.sub ? 'the user' : sub, client, aud, scope ?? '', who]
    })
    expect(rowsOf('token').map(([, , ...claims]) => claims)).toEqual(actual)
  })

  test('is in the log of the broker and in the audit trail by its hash', async () => {
    const log = await readFile(join(world.folder, '.lumo/examples/orchestrator.log'), 'utf8')
    const issued = log.split('\n').find((line) => line.includes('"delegation.issued"'))
    const {
      depth,
      session,
      token_sha256: digest,
    } = JSON.parse(issued ?? '{}') as {
      readonly depth?: number
      readonly session?: boolean
      readonly token_sha256?: string
    }
    const token = tokenIn(printed.find((text) => text.includes('"approved"')))
    const hash = createHash('sha256').update(token).digest('base64url')
    expect([depth, session, digest]).toEqual([1, true, hash])
    const trail = await world.operate('audit', 'tail', '--count', '100')
    expect(trail).toContain(`"token_sha256":"${hash}"`)
  })
})

describe('what parties see', () => {
  const inFolder = (name: string) => readFile(join(world.folder, '.lumo/examples', name), 'utf8')

  test('the user: the application and whom they allowed', async () => {
    const { text } = await person.account()
    expect(text).toContain('Notebook')
    expect(text).toContain('orchestrator')
    expect(text).not.toContain('specialist')
  })

  test('the operator of a broker: neither users nor anything that could be used', async () => {
    const operations = ['orchestratorOperations', 'specialistOperations'] as const
    const seen = [
      await inFolder('orchestrator.log'),
      await inFolder('specialist.log'),
      ...(await Promise.all(
        operations.map(async (place) =>
          (await fetch(`${world.places.urlOf(place)}/metrics`)).text(),
        ),
      )),
    ]
    const names = printed.flatMap((text) =>
      [...text.matchAll(/"(?:session|handle)":"([^"]+)"/g)].map(([, name = '']) => name),
    )
    expect(names.length).toBeGreaterThan(1)
    for (const text of seen) {
      expect(text).not.toBe('')
      for (const secret of ['eyJ', person.sub, ...names]) expect(text).not.toContain(secret)
    }
  })

  test('the operator of the authority: who acted for whom, where, with which scopes', async () => {
    const trail = await world.operate('audit', 'tail', '--count', '100')
    const rows = trail
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(rows).toContainEqual(
      expect.objectContaining({
        event: 'token.issued',
        subject: person.sub,
        actor_chain: ['agent:orchestrator', 'agent:specialist'],
        audience: ['https://docs.example.com'],
        scope_granted: 'read:documents',
      }),
    )
    expect(trail).not.toContain('eyJ')
  })
})

describe('what takes back, reaches the end of the chain', () => {
  const ACCESS = 'urn:ietf:params:oauth:token-type:access_token'
  const ask = async (place: 'orchestratorBroker' | 'specialistBroker', form: object) => {
    const answer = await fetch(`${world.places.urlOf(place)}/v1/exchange`, {
      method: 'POST',
      headers: { 'Lumo-Broker': 'true' },
      body: new URLSearchParams({ ...form, subject_token_type: ACCESS, scope: 'read:documents' }),
    })
    return tokenIn(await answer.text())
  }
  const isActive = async (token: string): Promise<unknown> => {
    const answer = await fetch(
      `${world.places.urlOf('authority')}/t/acme-corp/api/v1/oauth/introspect`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${await ownToken('specialistBroker')}` },
        body: new URLSearchParams({ token }),
      },
    )
    return ((await answer.json()) as { readonly active?: unknown }).active
  }
  const commands = page.blocks
    .filter(({ mark }) => mark === 'operate')
    .flatMap(({ text }) => text.trim().split('\n'))

  test.each(commands)('%s', async (command) => {
    const kind = commands.indexOf(command)
    const { sub, token } = await signInAnew(world, `taker-${String(kind)}@example.com`)
    const user = ['--user', sub, '--agent', 'orchestrator']
    await world.operate('grants', 'add', ...user, '--scope', 'read:documents')
    const first = await ask('orchestratorBroker', { subject_token: token, audience: 'specialist' })
    const second = await ask('specialistBroker', {
      subject_token: first,
      audience: 'https://docs.example.com',
    })
    expect(await isActive(second)).toBe(true)
    const given = argumentsOf(command.replace(/^lumo-broker /, 'curl '), {
      SUB: sub,
      GRANT: String(decodeJwt(second)['grant_id']),
    })
    const outcome = await runInProcess(given, { workingFolder: world.folder })
    expect({ ...outcome, stdout: '' }).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(await isActive(second)).toBe(false)
  })
})

describe('what can go wrong', () => {
  const rows = rowsOf('code').flatMap(([codes = '', status = '']) =>
    codes.split(', ').map((code) => [code, Number(status)] as const),
  )

  test('is every code of these routes, once, and no other', () => {
    const places: readonly Place[] = ['exchange', 'handle', 'beginSession', 'endSession']
    const codes = new Set(places.flatMap((place) => codesAt(place, true)))
    expect(rows.map(([code]) => code).toSorted()).toEqual([...codes].toSorted())
  })

  test.each(rows)('%s has status %i', (code, status) => {
    expect(new BrokerError(code as BrokerErrorCode).status).toBe(status)
  })

  test('what may become of a question is every state of a handle', async () => {
    const text = await source('broker/delegation/handle.ts')
    const states = [...text.matchAll(/'(\w+)'/g)].map(([, state = '']) => state)
    const known = states.filter((state) => /^(pending|approved|denied|expired|failed)$/.test(state))
    expect(firstColumn(page, '`status`').toSorted()).toEqual([...new Set(known)].toSorted())
    expect(known).toHaveLength(5)
  })
})

describe('the bounds', () => {
  const rows = rowsOf('what').filter((row) => row.length === 3)
  const boundOf = (what: string) => rows.find(([name]) => name?.startsWith(what))?.[1] ?? ''
  const constantIn = async (file: string, name: string): Promise<string> => {
    const text = await source(`broker/delegation/${file}.ts`)
    return new RegExp(`const ${name} = ([0-9_]+)`).exec(text)?.[1]?.replaceAll('_', '') ?? 'none'
  }

  test.each([
    ['a token that is about to end', FLOOR_MS],
    ['whether it was revoked', RECHECK_MS],
    ['after a revocation', GOOD_WITHOUT_CHECK_MS],
    ['while the authority does not say', GOOD_WITHOUT_ANSWER_MS],
  ])('%s: %i ms', (what, ms) => {
    expect(boundOf(what)).toContain(`${String(ms / 1000)} s`)
  })

  test.each([
    ['questions that wait', 'handles', 'MAX_PENDING'],
    ['different tokens for one', 'acting', 'MAX_TOKENS'],
    ['different tokens that are fetched', 'act_for', 'MAX_FLIGHTS'],
  ])('%s', async (what, file, name) => {
    expect(/^\d+/.exec(boundOf(what))?.[0]).toBe(await constantIn(file, name))
  })

  test('what is set has the default that the page says', () => {
    const named = rows.filter(([, , setting]) => setting !== '')
    expect(named).toHaveLength(5)
    for (const [, bound = '', setting = ''] of named) {
      const at = setting
        .split('.')
        .reduce<Schema | undefined>(
          (schema, part) => schema?.properties?.[part],
          brokerSchema as Schema,
        ) as { readonly default?: unknown } | undefined
      expect([setting, Number(/^\d+/.exec(bound)?.[0])]).toEqual([setting, at?.default])
    }
  })
})

describe('what an operator sees', () => {
  test('are metrics that there are, with their labels', () => {
    const all = Object.values({ ...counters, ...gauges, ...histograms })
    const named = firstColumn(page, 'metric')
    expect(named.length).toBeGreaterThan(5)
    for (const text of named) {
      const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(text) ?? []
      const known = all.find((one) => one.name === name)
      expect([text, known?.name]).toEqual([text, name])
      const taken: readonly string[] = known && 'labels' in known ? known.labels : []
      for (const label of labels.split(',').filter(Boolean)) {
        expect(taken).toContain(label.split('=')[0])
      }
    }
  })

  test('are the events of the log', async () => {
    const files = ['delegated_exchange', 'recheck', 'ended_tokens'].map(
      (name) => `broker/delegation/${name}.ts`,
    )
    const texts = await Promise.all([...files, 'broker/local_gate.ts'].map(source))
    const events = texts.flatMap((text) =>
      [...text.matchAll(/event: '([a-z_.]+)'/g)].map(([, event = '']) => event),
    )
    expect(firstColumn(page, 'event of the log').toSorted()).toEqual(events.toSorted())
  })

  test('are the reasons for which a token is unusable', async () => {
    const text = await source('broker/delegation/delegated.ts')
    const [, union = ''] = /type Mismatch =([^]*?)\n\n/.exec(text) ?? []
    const reasons = [...union.matchAll(/'(\w+)'/g)].map(([, reason = '']) => reason)
    expect(reasons.length).toBeGreaterThan(3)
    for (const reason of reasons) expect(page.code).toContain(reason)
  })
})

test('its links lead somewhere', async () => {
  for (const link of linksOf(page)) {
    const [file = '', anchor] = link.split('#')
    const target = await readPage(join('docs', file))
    if (anchor !== undefined) expect(anchorsOf(target)).toContain(anchor)
  }
})
