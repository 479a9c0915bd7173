import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runInProcess } from '../fakes/io.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-config-local-'))
})

afterEach(() => rm(folder, { recursive: true }))

const at = (name: string) => join(folder, name)
const check = () => runInProcess(['config', 'check', 'lumo.yaml'], { workingFolder: folder })
const noFaults = { exitCode: 0, stdout: 'lumo.yaml: no faults\n', stderr: '' }
const faults = (...sentences: readonly string[]) => ({
  exitCode: 1,
  stdout: '',
  stderr: sentences.map((sentence) => `lumo.yaml: ${sentence}\n`).join(''),
})

describe('config check of the own policy of a broker', () => {
  const local = (name = 'local.yaml') => ({
    roles: ['broker'],
    broker: {
      authority: { url: 'https://auth.example', tenant: 'acme-corp' },
      policy: at(name),
    },
  })
  const rule = 'workloads:\n  - { name: any, allow: [{ audience: a, scopes: [b] }] }\n'
  const checkWith = async (policy: string | undefined) => {
    await writeFile(at('lumo.yaml'), JSON.stringify(local()))
    if (policy !== undefined) await writeFile(at('local.yaml'), policy)
    return check()
  }

  test('finds none in a good one', async () => {
    expect(await checkWith(rule)).toEqual(noFaults)
  })

  test.each<[string, string | undefined, readonly string[]]>([
    ['that is not there', undefined, [' does not exist']],
    ['that is no YAML', '{', [': the YAML cannot be read (MISSING_CHAR, line 1)']],
    [
      'with several faults',
      'workloads:\n  - { name: a, colour: red }\n  - { name: b, exchangesPerMinute: 0 }\n',
      [
        ': workloads[0].colour: there is no such setting',
        ': workloads[1].exchangesPerMinute: must be >= 1',
      ],
    ],
    [
      'whose rules contradict one another',
      `${rule}  - { name: other, namespace: research }\n`,
      [`: workloads[1]: never counts: LOCAL: workloads[0] fits all of its workloads first`],
    ],
  ])('reports one %s', async (_name, policy, sentences) => {
    expect(await checkWith(policy)).toEqual(
      faults(
        ...sentences.map(
          (sentence) => `${at('local.yaml')}${sentence.replace('LOCAL', at('local.yaml'))}`,
        ),
      ),
    )
  })

  test('reports a folder without one, and the faults of a trust policy beside it', async () => {
    const both = {
      roles: ['authority', 'broker'],
      authority: {
        origin: 'https://auth.example',
        store: { file: at('store.sqlite') },
        keyEncryptionFile: at('key'),
        tenants: [{ slug: 'acme-corp', policy: at('policy.yaml') }],
      },
      broker: { shape: 'all-in-one', authority: { tenant: 'acme-corp' }, policy: at('local') },
    }
    await mkdir(at('local'))
    await writeFile(at('lumo.yaml'), JSON.stringify(both))
    expect(await check()).toEqual(
      faults(
        `${at('policy.yaml')} does not exist`,
        'there is no local policy file (.yaml, .yml, .json)',
      ),
    )
  })
})
