import { expect, test } from 'vitest'
import { configAround, configFileOf } from '../../src/cli/environment.ts'
import { readConfig } from '../../src/cli/config_file.ts'
import { placeOf } from '../../src/cli/broker_place.ts'
import type { Io } from '../../src/cli/io.ts'
import { DocumentFault } from '../../src/config/document.ts'
import { sidecar } from '../fakes/config_documents.ts'

const NAME = 'LUMO_CONFIG_DOCUMENT'
const io = (environment: Readonly<Record<string, string>>): Io => ({
  arguments: [],
  environment,
  workingFolder: '/',
  stdout: { isTTY: false, write: () => {} },
  stderr: { write: () => {} },
  readInput: () => Promise.resolve(Buffer.alloc(0)),
  asked: new Promise(() => {}),
})
const document = JSON.stringify(sidecar({ listen: ['127.0.0.1:9280'] }))

test.each([
  ['nothing', {}, undefined],
  ['an empty document', { [NAME]: '' }, undefined],
  ['a document', { [NAME]: '{}' }, `env:${NAME}`],
  [
    'a file beside it',
    { [NAME]: '{}', LUMO_CONFIG: '/etc/lumo/config.yaml' },
    '/etc/lumo/config.yaml',
  ],
])('around a command there is %s', (_name, environment, expected) => {
  expect(configAround(io(environment as Record<string, string>))).toBe(expected)
})

test('an option goes before the environment', () => {
  expect(configFileOf('mine.yaml', io({ [NAME]: '{}' }))).toBe('mine.yaml')
})

test('a document is read like a file', async () => {
  const config = await readConfig(`env:${NAME}`, io({ [NAME]: document }))
  expect(config.broker?.listen).toEqual([{ host: '127.0.0.1', port: 9_280, optional: false }])
})

test('and says where a broker is asked', async () => {
  const place = await placeOf(
    { url: undefined, socket: undefined, config: undefined },
    io({ [NAME]: document }),
  )
  expect(place.url.origin).toBe('http://127.0.0.1:9280')
})

test('what is wrong with it is named with the variable', async () => {
  const reading = readConfig(`env:${NAME}`, io({ [NAME]: '{"roles":[]}' }))
  await expect(reading).rejects.toThrow(DocumentFault)
  await expect(reading).rejects.toThrow(`env:${NAME}: roles: must not have fewer than 1 items`)
  await expect(readConfig('env:NOWHERE', io({}))).rejects.toThrow(
    'the variable NOWHERE holds no configuration',
  )
})
