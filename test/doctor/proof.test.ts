import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadedConfiguration } from '../../src/doctor/configuration.ts'
import { claimsLink } from '../../src/doctor/claims.ts'
import { readProof } from '../../src/doctor/proof.ts'
import type { FileOwner } from '../../src/doctor/world.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { DocumentFault } from '../../src/config/document.ts'
import { FileFault, systemFiles } from '../../src/platform/files.ts'
import { proofClaims, proofOf } from '../fakes/broker.ts'
import { allInOne, authorityOnly, sidecar } from '../fakes/config_documents.ts'
import { AUDIENCE, lineOf, testWorld } from './world.ts'

const PATH = '/var/run/proof/token'

describe('the configuration', () => {
  const load = (document: object) => () => Promise.resolve(resolveConfig(document, {}))
  const lineFor = async (given: Parameters<typeof loadedConfiguration>[1]) =>
    lineOf((await loadedConfiguration('lumo.yaml', given)).finding)

  test.each([
    [
      'of a sidecar',
      sidecar(),
      'ok configuration: lumo.yaml: tenant acme-corp at https://auth.example, proof from /var/run/secrets/lumoauth.dev/proof/token',
    ],
    [
      'of a sidecar on AWS',
      sidecar({ proof: { source: 'aws', aws: { form: 'web-identity', region: 'eu-central-1' } } }),
      'ok configuration: lumo.yaml: tenant acme-corp at https://auth.example, proof from aws',
    ],
    [
      'with both roles',
      allInOne(),
      'ok configuration: lumo.yaml: tenant acme-corp in the same process, proof from /var/run/secrets/lumoauth.dev/proof/token',
    ],
    [
      'without a broker',
      authorityOnly(),
      'failed configuration: lumo.yaml has no broker; give doctor the configuration of a broker: it follows the path of its tokens',
    ],
  ])('%s', async (_, document, line) => {
    expect(await lineFor(load(document))).toBe(line)
  })

  test.each([
    [
      'that is not there',
      new FileFault('absent', '/etc/lumo/lumo.yaml does not exist'),
      'failed configuration: /etc/lumo/lumo.yaml does not exist; is the ConfigMap mounted there?',
    ],
    [
      'with faults',
      new DocumentFault([
        { path: '', message: 'lumo.yaml: log.level: must be one of debug, info, warn, error' },
        { path: '', message: 'lumo.yaml: broker: must be given with the role broker' },
      ]),
      'failed configuration: lumo.yaml: log.level: must be one of debug, info, warn, error; lumo.yaml: broker: must be given with the role broker; mend that; lumo-broker config check lumo.yaml reads it in the same way',
    ],
  ])('%s', async (_, fault, line) => {
    expect(await lineFor(() => Promise.reject(fault))).toBe(line)
  })
})

describe('the proof', () => {
  const file = { from: 'file', file: PATH } as const
  const lineFor = async (text: string | undefined, owner?: FileOwner) => {
    const world = testWorld({ ownerOf: () => Promise.resolve(owner) })
    if (text !== undefined) world.files.write(PATH, text)
    if (owner) world.files.forbid(PATH)
    return lineOf((await readProof(file, undefined, world)).finding)
  }

  test.each([
    ['that is a token', `${proofOf(proofClaims(0))}\n`, `ok proof: ${PATH} holds a JWT`],
    [
      'that is absent',
      undefined,
      `failed proof: ${PATH} does not exist; mount the projected volume there in the container of the broker, or name its token with broker.proof.file`,
    ],
    [
      'that is empty',
      '\n',
      `failed proof: ${PATH} is empty; is something else than the kubelet writing there? A projected token is never empty`,
    ],
    [
      'that is malformed',
      'canary',
      `failed proof: ${PATH} holds no JWT; name the projected service-account token with broker.proof.file`,
    ],
    [
      'that is too long',
      'a'.repeat(20_000),
      `failed proof: ${PATH} is longer than 16384 bytes; no token is that long: name another broker.proof.file`,
    ],
  ])('%s', async (_, text, line) => {
    expect(await lineFor(text)).toBe(line)
  })

  test('that cannot be read: with its mode, and who wants to read it', async () => {
    expect(await lineFor('', { mode: 0o600, uid: 65_532, gid: 0, ours: 1_000 })).toBe(
      `failed proof: ${PATH} cannot be read (EACCES): its mode is 0600, its owner 65532, its group 0, and this runs as 1000; set fsGroup in the securityContext of the pod, or let its containers run as one user`,
    )
  })

  test('that is a folder: the file in it is to be named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lumo-proof-'))
    await writeFile(join(folder, 'token'), 'canary')
    const world = { ...testWorld(), files: systemFiles }
    const { finding } = await readProof({ from: 'file', file: folder }, undefined, world)
    expect(lineOf(finding)).toBe(
      `failed proof: ${folder} is a folder; name the file in that folder`,
    )
    await rm(folder, { recursive: true })
  })

  test('that cannot be read nor looked at', async () => {
    const world = testWorld()
    world.files.forbid(PATH)
    expect(lineOf((await readProof(file, undefined, world)).finding)).toBe(
      `failed proof: ${PATH} cannot be read (EACCES); set fsGroup in the securityContext of the pod, or let its containers run as one user`,
    )
  })

  test.each([
    [
      { from: 'aws', form: 'web-identity' },
      'skipped proof: the running broker makes it from its role on AWS, when it is needed',
    ],
    [
      { from: 'caller' },
      'skipped proof: callers show their own: give that of one with --proof-file',
    ],
  ])('of %j', async (proof, line) => {
    const { finding, jws } = await readProof(proof as never, undefined, testWorld())
    expect([lineOf(finding), jws]).toEqual([line, undefined])
  })

  test('of a caller is that which is given', async () => {
    const world = testWorld()
    world.files.write('/caller', proofOf(proofClaims(0)))
    const { finding, jws } = await readProof({ from: 'caller' } as never, '/caller', world)
    expect([lineOf(finding), jws?.payload]).toEqual([
      'ok proof: /caller holds a JWT',
      proofClaims(0),
    ])
  })
})

describe('the claims', () => {
  const { clock } = testWorld()
  const { now } = clock
  const good = {
    iss: 'https://cluster.example',
    sub: 'system:serviceaccount:research:doc-analyst',
    aud: [AUDIENCE],
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3_540,
    'kubernetes.io': { pod: { name: 'doc-analyst-0', uid: 'u' }, node: { name: 'worker-1' } },
  }
  const lineFor = (changes: object, podNeeded = false) =>
    lineOf(
      claimsLink({ ...good, ...changes }, { audience: AUDIENCE, derived: false, podNeeded }, clock),
    )
  const who = 'system:serviceaccount:research:doc-analyst by https://cluster.example'

  test.each([
    ['of a pod', {}, `ok claims: ${who}, 59 min left; pod doc-analyst-0 on node worker-1`],
    [
      'of a pod on no node',
      { 'kubernetes.io': { pod: { name: 'a' } } },
      `ok claims: ${who}, 59 min left; pod a`,
    ],
    ['of no cluster', { 'kubernetes.io': undefined }, `ok claims: ${who}, 59 min left`],
    [
      'of no pod',
      { 'kubernetes.io': { namespace: 'research' } },
      `ok claims: ${who}, 59 min left; bound to no pod, which authorities refuse unless they are told otherwise`,
    ],
    [
      'with one audience as text',
      { aud: AUDIENCE },
      `ok claims: ${who}, 59 min left; pod doc-analyst-0 on node worker-1`,
    ],
    [
      'that begin within the leeway',
      { iat: now + 30, nbf: now + 30 },
      `ok claims: ${who}, 59 min left; pod doc-analyst-0 on node worker-1`,
    ],
    [
      'with text for another terminal',
      { sub: 'a\u001b[2J\nb', 'kubernetes.io': undefined },
      'ok claims: a?[2J?b by https://cluster.example, 59 min left',
    ],
    [
      'for another audience',
      { aud: ['https://kubernetes.default.svc', 'b\u009b'] },
      `failed claims: it is made for https://kubernetes.default.svc, b?, and not for ${AUDIENCE}; set the audience of the projected volume, or broker.proof.audience`,
    ],
    [
      'for no audience',
      { aud: undefined },
      `failed claims: it is made for nobody, and not for ${AUDIENCE}; set the audience of the projected volume, or broker.proof.audience`,
    ],
    [
      'that have expired',
      { exp: now - 3_661 },
      'failed claims: it expired 1 h 1 min ago; does the kubelet rotate it, and is the clock of this machine right?',
    ],
    [
      'that expire now',
      { exp: now },
      'failed claims: it expired 0 s ago; does the kubelet rotate it, and is the clock of this machine right?',
    ],
    [
      'that lie in the future',
      { iat: now + 300 },
      'failed claims: it becomes valid in 5 min; is the clock of this machine right?',
    ],
    [
      'that are not valid yet',
      { nbf: now + 31 },
      'failed claims: it becomes valid in 31 s; is the clock of this machine right?',
    ],
    [
      'past their warnafter',
      { 'kubernetes.io': { pod: { name: 'a' }, warnafter: now - 90 } },
      'failed claims: it should have been replaced 1 min 30 s ago (warnafter); use the token of a projected volume with an audience of its own',
    ],
    [
      'that live too long',
      { exp: now + 86_400 * 365 },
      'failed claims: it lives for 365 d, and authorities take 24 h at most; set expirationSeconds of the projected volume to 86400 or less',
    ],
    [
      'of a Secret, which never end',
      { exp: undefined, iat: undefined },
      'failed claims: it lacks exp, iat; use the token of a projected volume, not that of a Secret',
    ],
    [
      'that name nobody',
      { sub: 7 },
      'failed claims: it lacks sub; use the token of a projected volume, not that of a Secret',
    ],
  ])('%s', (_, changes, line) => {
    expect(lineFor(changes)).toBe(line)
  })

  test('for another audience than that which is made of the URL and the tenant', () => {
    const claims = { ...good, aud: ['b'] }
    const expected = { audience: AUDIENCE, derived: true, podNeeded: false }
    expect(claimsLink(claims, expected, clock)).toEqual({
      link: 'claims',
      state: 'failed',
      detail: `it is made for b, and not for ${AUDIENCE}`,
      advice:
        'set the audience of the projected volume, or broker.proof.audience; or is broker.authority.url or .tenant wrong? The audience is made of them',
      suspects: ['dns', 'tls', 'authority'],
    })
  })

  test.each([
    ['dates suspect the clock', { exp: now - 1 }, ['clock']],
    ['an audience that was given suspects nothing', { aud: ['b'] }, []],
    ['a token without dates suspects nothing', { exp: undefined }, []],
  ])('%s', (_, changes, suspects) => {
    const expected = { audience: AUDIENCE, derived: false, podNeeded: false }
    expect(claimsLink({ ...good, ...changes }, expected, clock)).toMatchObject({ suspects })
  })

  test('of no pod are of no use to a node broker', () => {
    expect(lineFor({ 'kubernetes.io': {} }, true)).toBe(
      'failed claims: it is bound to no pod, and a node broker serves pods only; a pod gets such a token by a projected volume',
    )
    expect(lineFor({}, true)).toContain('ok claims: ')
  })
})
