import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeCluster } from '../fakes/cluster.ts'
import { runInProcess } from '../fakes/io.ts'
import { fileOf, notes, ofKind, one, render, type Values } from './chart.ts'
import { agent, modeOf } from './modes.ts'
import { podsOf } from './pods.ts'

/** `lumo-broker explain`, as the notes give it: of which workload, and with which arguments. */
function explainedBy(text: string): { readonly workload: string; readonly arguments: string[] } {
  const found = /exec -i (\S+) -- \\\n +lumo-broker (.+)$/m.exec(text)
  if (!found) throw new Error(`the notes have no such command: ${text}`)
  return { workload: found[1] ?? '', arguments: (found[2] ?? '').split(' ') }
}

test.each([
  { mode: 'no values', kind: 'StatefulSet' },
  { mode: 'PostgreSQL', kind: 'Deployment' },
])('$mode: explain goes into a pod of the authority', ({ mode, kind }) => {
  const { workload } = explainedBy(notes(modeOf(mode)))
  const [given = '', name = ''] = workload.split('/')
  expect(given).toBe(kind.toLowerCase())
  expect(one(render(modeOf(mode)), kind, name)).toBeDefined()
})

describe('explain, with the files of the pod', () => {
  // Commands go by the clock of the machine.
  const cluster = new FakeCluster(() => Math.floor(Date.now() / 1000))
  let folder: string
  let values: Values

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lumo-notes-'))
    values = {
      cluster: { issuer: cluster.issuer, keys: { inline: await cluster.jwks() } },
      agents: [agent],
    }
    const manifests = render(values)
    const config = fileOf(manifests, 'lumo-broker-authority', 'config.yaml')
    const policy = fileOf(manifests, 'lumo-broker-policy', 'policy.yaml')
    await writeFile(join(folder, 'policy.yaml'), policy)
    await writeFile(
      join(folder, 'config.yaml'),
      config.replace('/etc/lumo/policy', join(folder, 'policy.yaml')),
    )
  })

  afterAll(() => rm(folder, { recursive: true }))

  test.each([
    { account: 'hello-agent', exitCode: 0, says: 'result: agent hello-agent' },
    { account: 'other', exitCode: 1, says: 'agent hello-agent: does not fit' },
  ])('a pod of $account', async ({ account, exitCode, says }) => {
    const text = notes(values)
    const [, audience = ''] = /--audience '([^']+)'/.exec(text) ?? []
    const given = explainedBy(text).arguments
    const mounted = given.indexOf('/etc/lumo/config/config.yaml')
    expect(given[mounted - 1]).toBe('--config')
    const token = await cluster.token({
      claims: { sub: `system:serviceaccount:demo:${account}`, aud: [audience] },
      bound: { namespace: 'demo', serviceaccount: { name: account, uid: 'u' } },
    })
    const ran = await runInProcess(given.with(mounted, join(folder, 'config.yaml')), {
      workingFolder: folder,
      input: token,
    })
    expect(ran.stdout).toContain(says)
    expect(ran.exitCode, ran.stderr).toBe(exitCode)
  })

  test('its configuration lies where the notes say', () => {
    const [{ spec } = { spec: undefined }] = podsOf(ofKind(render(values), 'StatefulSet'))
    const mounts = spec?.containers.flatMap(({ volumeMounts }) => volumeMounts ?? [])
    for (const name of ['config', 'policy']) {
      expect(mounts).toContainEqual({ name, mountPath: `/etc/lumo/${name}`, readOnly: true })
    }
  })
})

test('where the test fails, its pod is kept, and the notes say how to read it', () => {
  const values = modeOf('one agent and its test')
  const [pod] = ofKind(render(values), 'Pod')
  const { name = '', namespace = '', annotations = {} } = pod?.metadata ?? {}
  expect(notes(values)).toContain(`kubectl --namespace ${namespace} logs ${name} --all-containers`)
  expect(annotations['helm.sh/hook-delete-policy']?.split(',')).not.toContain('hook-failed')
})

test.each([
  { mode: 'no values', isSaid: true },
  { mode: 'an authority alone', isSaid: false },
])('$mode: what becomes of labelled pods after uninstall', ({ mode, isSaid }) => {
  const said = notes(modeOf(mode)).includes('take the label away, or scale them down, before')
  expect(said).toBe(isSaid)
})
