import Type, { type Static } from 'typebox'
import { isSafeUrl } from '../platform/http_client.ts'
import { awsSuffix, partitionOf } from './provider/aws_regions.ts'
import type { ReportFault } from './document.ts'
import { absoluteFile } from './forms.ts'
import { meansCallers, resolveCallers } from './callers.ts'
import type { BrokerSection } from './broker_schema.ts'
import type { AwsProofConfig, ProofConfig } from './config.ts'

const closed = { additionalProperties: false }
const url = { minLength: 1, maxLength: 512 }

const awsProof = Type.Object(
  {
    form: Type.Enum(['web-identity', 'signed-request'], {
      description:
        'web-identity: a JWT that STS issues. signed-request: a request to STS that the authority sends.',
    }),
    region: Type.String({
      // Of the partitions whose endpoints end in amazonaws.com and amazonaws.com.cn.
      pattern: '^(us|us-gov|eu|ap|sa|ca|me|af|il|mx|cn)-[a-z]{2,12}-[0-9]$',
      form: 'a region, such as eu-central-1',
      description: 'Region whose STS is used, such as eu-central-1.',
    }),
    signingAlgorithm: Type.Enum(['RS256', 'ES384'], {
      default: 'ES384',
      description: 'Signature algorithm of the JWT; of no meaning to a signed request.',
    }),
    stsEndpoint: Type.Optional(
      Type.String({
        ...url,
        description: 'Origin of STS, such as that of a VPC endpoint. Default: that of the region.',
      }),
    ),
  },
  { ...closed, description: 'How the proof is made on AWS, with source aws.' },
)

export const proofSchema = Type.Object(
  {
    source: Type.Optional(
      Type.Enum(['file', 'aws', 'caller'], {
        env: 'LUMO_PROOF',
        description:
          'file: the token file that the kubelet keeps. aws: made from the role that a workload has on AWS. caller: every caller shows its own token. Default: file; with shape node caller, and nothing else.',
      }),
    ),
    file: Type.Optional(
      Type.String({
        ...absoluteFile,
        env: 'LUMO_PROOF_FILE',
        description:
          "The pod's projected service-account token. Default: /var/run/secrets/lumoauth.dev/proof/token.",
      }),
    ),
    audience: Type.Optional(
      Type.String({
        ...url,
        description: "Audience of the proof. Default: the tenant's issuer URL.",
      }),
    ),
    aws: Type.Optional(awsProof),
  },
  { ...closed, default: {}, description: 'What the pod can show.' },
)

type ProofSection = Static<typeof proofSchema>

const PROOF_FILE = '/var/run/secrets/lumoauth.dev/proof/token'

/** The cross rules of the section `broker.proof`. `audience` is what the proof will be made for. */
export function resolveProof(
  { shape, proof, callers }: BrokerSection,
  audience: string,
  fault: ReportFault,
): ProofConfig {
  const { source = shape === 'node' ? 'caller' : 'file', file, aws } = proof
  if (aws && source !== 'aws') fault('broker.proof.aws', 'stands here without source aws')
  if (file !== undefined && source !== 'file') {
    fault('broker.proof.file', `must be absent with source ${source}`)
  }
  if (source !== 'caller' && meansCallers(callers)) {
    fault('broker.callers', 'stands here without source caller')
  }
  if (shape === 'node' && source !== 'caller') {
    fault('broker.proof.source', 'must be caller with shape node: it has no proof of its own')
  }
  switch (source) {
    case 'file':
      return { from: 'file', file: file ?? PROOF_FILE }
    case 'aws':
      if (aws) return resolveAws(aws, audience, fault)
      fault('broker.proof.aws', 'must be given with source aws')
      return { from: 'file', file: PROOF_FILE }
    case 'caller':
      if (shape !== 'sidecar') return resolveCallers(callers, shape, audience, fault)
      fault('broker.proof.source', 'must not be caller with shape sidecar: the pod is the caller')
      return { from: 'file', file: PROOF_FILE }
  }
}

function resolveAws(
  { form, region, signingAlgorithm, stsEndpoint }: NonNullable<ProofSection['aws']>,
  audience: string,
  fault: ReportFault,
): AwsProofConfig {
  // The schema takes the regions of no partition that is not known here.
  const regional = new URL(`https://sts.${region}.${awsSuffix[partitionOf(region) ?? 'aws']}`)
  if (form === 'signed-request') {
    if (stsEndpoint !== undefined) {
      const why = 'must be absent with form signed-request: the authority sends it, and to AWS only'
      fault('broker.proof.aws.stsEndpoint', why)
    }
    if (!/^[\x21-\x7e]+$/.test(audience)) {
      // A header holds it, and what is signed of a header is not what was written where that has other characters.
      fault('broker.proof.audience', 'must be printable ASCII without spaces')
    }
    return { from: 'aws', form, region, signingAlgorithm, stsUrl: regional }
  }
  const stsUrl = stsEndpoint === undefined ? regional : endpointOf(stsEndpoint, fault)
  return { from: 'aws', form, region, signingAlgorithm, stsUrl: stsUrl ?? regional }
}

function endpointOf(text: string, fault: ReportFault): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && isSafeUrl(url) && (text === url.origin || text === `${url.origin}/`)) return url
  const why = 'must be an origin with https, such as that of a VPC endpoint; http on loopback only'
  fault('broker.proof.aws.stsEndpoint', why)
  return undefined
}
