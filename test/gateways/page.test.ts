import Type from 'typebox'
import { describe, expect, test } from 'vitest'
import { BrokerError, type BrokerErrorCode } from '../../src/broker/errors.ts'
import { parseYaml } from '../../src/config/document.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { sidecar } from '../fakes/config_documents.ts'
import { readPage } from '../flows/pages.ts'

const page = await readPage('docs/gateways.md')
const anything = Type.Record(Type.String(), Type.Unknown())

describe('docs/gateways.md', () => {
  const sections = page.blocks.filter(({ mark }) => mark === 'broker')

  test.each(sections)('has sections that are sound: $text', ({ text }) => {
    const { broker } = resolveConfig(sidecar(parseYaml(text, anything)), {})
    expect(broker?.authorization?.routes.map(({ name }) => name)).toEqual(['docs'])
  })

  test('has no block that nobody checks', () => {
    const marks = page.blocks.map(({ mark, language }) => mark ?? language)
    expect(new Set(marks)).toEqual(new Set(['broker', 'nginx', 'envoy', 'text']))
  })

  const named = [...page.prose.matchAll(/(\d{3}) `([a-z_]+)`/g)]
  test.each(named.map(([, status, code]) => [code, Number(status)] as const))(
    '%s is %d as it says',
    (code, status) => {
      expect(new BrokerError(code as BrokerErrorCode).status).toBe(status)
    },
  )
})
