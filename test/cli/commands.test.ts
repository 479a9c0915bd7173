import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { runInProcess } from '../fakes/io.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-cli-'))
})

afterAll(() => rm(folder, { recursive: true }))

const run = (...given: readonly string[]) => runInProcess(given, { workingFolder: folder })
const wrongUsage = (sentence: string) => ({
  exitCode: 2,
  stdout: '',
  stderr: `lumo-broker: ${sentence}; see lumo-broker help\n`,
})
const fault = (sentence: string) => ({
  exitCode: 1,
  stdout: '',
  stderr: `lumo-broker: ${sentence}\n`,
})

describe('help and version', () => {
  test.each([[[]], [['help']], [['--help']], [['-h']]])('%j prints the commands', async (given) => {
    const { exitCode, stdout, stderr } = await run(...given)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')[0]).toBe(
      `lumo-broker ${packageJson.version}: ${packageJson.description}`,
    )
    const commands = [
      'run --config FILE',
      'dev ',
      'config check FILE',
      'config schema ',
      'token ',
      'wait ',
      'doctor --config FILE',
      'decode [FILE]',
    ]
    for (const command of commands) {
      expect(stdout).toContain(`  lumo-broker ${command}`)
    }
  })

  test.each(['version', '--version'])('%s prints that of package.json', async (given) => {
    expect(await run(given)).toEqual({
      exitCode: 0,
      stdout: `${packageJson.version}\n`,
      stderr: '',
    })
  })
})

describe('what is no command line', () => {
  test.each([
    [['start'], 'there is no command "start"'],
    [['Run'], 'there is no command "Run"'],
    [[''], 'there is no command ""'],
    [['constructor'], 'there is no command "constructor"'],
    [['__proto__'], 'there is no command "__proto__"'],
    [['a\nb'], 'there is no command "a\\nb"'],
    [['run'], '--config must be given'],
    [['config'], 'config takes: check FILE, schema, or schema policy'],
    [['config', 'check'], 'config takes: check FILE, schema, or schema policy'],
    [['config', 'check', 'a', 'b'], 'config takes: check FILE, schema, or schema policy'],
    [['config', 'schema', 'tokens'], 'config takes: check FILE, schema, or schema policy'],
    [['audit', 'dance'], 'audit takes: tail, show ID, verify'],
    [['config', 'show'], 'config takes: check FILE, schema, or schema policy'],
    [['dev', '--first-port', 'x'], '--first-port must be a port'],
    [['dev', '--first-port', '0'], '--first-port must be a port'],
    [['dev', '--first-port', '65501'], '--first-port must be a port'],
    [['dev', '--first-port', '80.5'], '--first-port must be a port'],
  ])('%j', async (given, sentence) => {
    expect(await run(...given)).toEqual(wrongUsage(sentence))
  })

  test.each([
    [['run', '--config']],
    [['run', '--configuration', 'a']],
    [['run', '--config', 'a', 'b']],
    [['dev', '--stat', 'x']],
    [['dev', 'x']],
  ])('%j: one line and 2', async (given) => {
    const { exitCode, stdout, stderr } = await run(...given)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^lumo-broker: [^\n]+; see lumo-broker help\n$/)
  })
})

describe('run', () => {
  test('a file that is not there is one sentence', async () => {
    expect(await run('run', '--config', 'nothing.yaml')).toEqual(
      fault(`${join(folder, 'nothing.yaml')} does not exist`),
    )
  })

  test.each([
    [[], 'around.yaml'],
    [['--config', 'given.yaml'], 'given.yaml'],
  ])('%j with LUMO_CONFIG takes %s', async (given, file) => {
    const environment = { LUMO_CONFIG: 'around.yaml' }
    const ran = await runInProcess(['run', ...given], { workingFolder: folder, environment })
    expect(ran).toEqual(fault(`${join(folder, file)} does not exist`))
  })

  test('a folder is no file', async () => {
    expect(await run('run', '--config', '.')).toEqual(
      fault(`${folder} cannot be read (it is no file)`),
    )
  })

  test('every fault of the configuration is a sentence', async () => {
    await writeFile(join(folder, 'bad.yaml'), 'roles: [broker]\nlog: { level: loud }\n')
    expect(await run('run', '--config', 'bad.yaml')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'lumo-broker: bad.yaml: log.level: must be one of debug, info, warn, error\n' +
        'lumo-broker: bad.yaml: broker: must be given with the role broker\n',
    })
  })

  test('a file that the configuration names and is not there is one sentence', async () => {
    const config = {
      roles: ['authority'],
      operations: { listen: '127.0.0.1:0' },
      authority: {
        listen: '127.0.0.1:0',
        origin: 'http://127.0.0.1',
        store: { file: join(folder, 'store.sqlite') },
        keyEncryptionFile: join(folder, 'no-key'),
        tenants: [{ slug: 'acme-corp' }],
      },
    }
    await writeFile(join(folder, 'no-key.yaml'), JSON.stringify(config))
    expect(await run('run', '--config', 'no-key.yaml')).toEqual(
      fault(`${join(folder, 'no-key')} does not exist`),
    )
  })
})
