import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { faultsOf, sidecar } from '../fakes/config_documents.ts'

type Part = Readonly<Record<string, unknown>>

const web = { form: 'web-identity', region: 'eu-central-1' }
const signed = { form: 'signed-request', region: 'eu-central-1' }
const fromAws = (aws: Part, more: Part = {}) => sidecar({ proof: { source: 'aws', aws, ...more } })

function proofOf(document: unknown, environment: Readonly<Record<string, string>> = {}) {
  const proof = resolveConfig(document, environment).broker?.proof
  return proof?.from === 'aws' ? { ...proof, stsUrl: proof.stsUrl.origin } : proof
}

const regional = {
  from: 'aws',
  form: 'web-identity',
  region: 'eu-central-1',
  signingAlgorithm: 'ES384',
  stsUrl: 'https://sts.eu-central-1.amazonaws.com',
}

describe('where the proof comes from', () => {
  const sources: readonly [string, Part, object][] = [
    ['nothing', sidecar(), { from: 'file', file: '/var/run/secrets/lumoauth.dev/proof/token' }],
    ['a file', sidecar({ proof: { file: '/p' } }), { from: 'file', file: '/p' }],
    [
      'the source file, by name',
      sidecar({ proof: { source: 'file', file: '/p' } }),
      { from: 'file', file: '/p' },
    ],
    ['a web identity', fromAws(web), regional],
    [
      'RS256',
      fromAws({ ...web, signingAlgorithm: 'RS256' }),
      { ...regional, signingAlgorithm: 'RS256' },
    ],
    [
      'a VPC endpoint',
      fromAws({ ...web, stsEndpoint: 'https://vpce-1.sts.eu-central-1.vpce.amazonaws.com/' }),
      { ...regional, stsUrl: 'https://vpce-1.sts.eu-central-1.vpce.amazonaws.com' },
    ],
    [
      'an endpoint on the loopback',
      fromAws({ ...web, stsEndpoint: 'http://127.0.0.1:4566' }),
      { ...regional, stsUrl: 'http://127.0.0.1:4566' },
    ],
    ['a signed request', fromAws(signed), { ...regional, form: 'signed-request' }],
    [
      'China',
      fromAws({ ...signed, region: 'cn-north-1' }),
      {
        ...regional,
        form: 'signed-request',
        region: 'cn-north-1',
        stsUrl: 'https://sts.cn-north-1.amazonaws.com.cn',
      },
    ],
    [
      'GovCloud',
      fromAws({ ...web, region: 'us-gov-west-1' }),
      { ...regional, region: 'us-gov-west-1', stsUrl: 'https://sts.us-gov-west-1.amazonaws.com' },
    ],
  ]
  test.each(sources)('%s', (_name, document, expected) => {
    expect(proofOf(document)).toEqual(expected)
  })

  test('LUMO_PROOF chooses it, where the file has what it needs', () => {
    const document = sidecar({ proof: { aws: web } })
    expect(proofOf(document, { LUMO_PROOF: 'aws' })).toEqual(regional)
  })
})

const REGION = 'broker.proof.aws.region: must be a region, such as eu-central-1'
const ENDPOINT =
  'broker.proof.aws.stsEndpoint: must be an origin with https, such as that of a VPC endpoint; http on loopback only'

describe('a configuration is refused', () => {
  const cases: readonly [string, Part, ...string[]][] = [
    [
      'an unknown source',
      sidecar({ proof: { source: 'gcp' } }),
      'broker.proof.source: must be one of file, aws, caller',
    ],
    [
      'aws without its section',
      sidecar({ proof: { source: 'aws' } }),
      'broker.proof.aws: must be given with source aws',
    ],
    [
      'the section without the source',
      sidecar({ proof: { aws: web } }),
      'broker.proof.aws: stands here without source aws',
    ],
    [
      'aws and a file',
      fromAws(web, { file: '/p' }),
      'broker.proof.file: must be absent with source aws',
    ],
    ...['token', './token', '/run/proof/', ''].map((file): [string, Part, string] => [
      `the file ${JSON.stringify(file)}`,
      sidecar({ proof: { file } }),
      'broker.proof.file: must be the absolute path of a file',
    ]),
    ['no form', fromAws({ region: 'eu-central-1' }), 'broker.proof.aws: form must be given'],
    ['no region', fromAws({ form: 'web-identity' }), 'broker.proof.aws: region must be given'],
    [
      'another algorithm',
      fromAws({ ...web, signingAlgorithm: 'ES256' }),
      'broker.proof.aws.signingAlgorithm: must be one of RS256, ES384',
    ],
    ...['eu', 'evil.example/', 'eu-central-1.evil.example', 'us-iso-east-1', 'eusc-de-east-1'].map(
      (region): [string, Part, string] => [
        `the region ${region}`,
        fromAws({ ...web, region }),
        REGION,
      ],
    ),
    ...['http://sts.example', 'https://sts.example/path', 'https://u:p@sts.example', 'sts'].map(
      (stsEndpoint): [string, Part, string] => [
        `the endpoint ${stsEndpoint}`,
        fromAws({ ...web, stsEndpoint }),
        ENDPOINT,
      ],
    ),
    [
      'an endpoint for a signed request',
      fromAws({ ...signed, stsEndpoint: 'https://sts.example' }),
      'broker.proof.aws.stsEndpoint: must be absent with form signed-request: the authority sends it, and to AWS only',
    ],
    ...['two words', 'line\nend', 'ümlaut'].map((audience): [string, Part, string] => [
      `the audience ${JSON.stringify(audience)} in a header`,
      fromAws(signed, { audience }),
      'broker.proof.audience: must be printable ASCII without spaces',
    ]),
  ]
  test.each(cases)('%s', (_name, document, ...faults) => {
    expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults)
  })

  test('a file that the environment names, with source aws', () => {
    expect(faultsOf(() => resolveConfig(fromAws(web), { LUMO_PROOF_FILE: '/p' }))).toEqual([
      'broker.proof.file: must be absent with source aws (given by LUMO_PROOF_FILE)',
    ])
  })
})
