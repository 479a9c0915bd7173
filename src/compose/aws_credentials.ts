import { GetWebIdentityTokenCommand, STSClient } from '@aws-sdk/client-sts'
import { ProofFault, type ProofSource } from '../broker/proof.ts'
import { credentialsFault, tokenFault } from '../broker/proof/aws_faults.ts'
import { signedRequestProofs, type AwsCredentials } from '../broker/proof/signed_request.ts'
import { WEB_IDENTITY_SECONDS, webIdentityProofs } from '../broker/proof/web_identity.ts'
import type { AwsProofConfig } from '../config/config.ts'
import { awsHttp } from './aws_http.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Proofs of a workload on AWS. This file and what it imports are some megabytes: it is itself imported only where a broker
 * has this source, and a sidecar with a token file never reads it.
 *
 * Credentials come from the SDK's own chain: environment, container endpoint (ECS, EKS Pod Identity), IRSA, instance
 * metadata. Of all that the program does, only this reads the environment and the disk past what it was given.
 */
export function awsProofs(
  config: AwsProofConfig,
  audience: string,
  surroundings: Surroundings,
): ProofSource {
  const client = new STSClient({
    region: config.region,
    // Said here, so that neither the environment nor a profile sends the credentials' use elsewhere; also, the global endpoint does not know GetWebIdentityToken.
    endpoint: config.stsUrl.origin,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    maxAttempts: 2,
    requestHandler: awsHttp(surroundings.http),
  })
  if (config.form === 'signed-request') {
    const target = { region: config.region, host: config.stsUrl.host, audience }
    return signedRequestProofs(target, () => credentialsOf(client), surroundings)
  }
  return webIdentityProofs(audience, () => issue(client, config, audience), surroundings)
}

/** The client keeps credentials until shortly before their end. */
async function credentialsOf(client: STSClient): Promise<AwsCredentials | ProofFault> {
  try {
    return await client.config.credentials()
  } catch {
    return credentialsFault()
  }
}

async function issue(
  client: STSClient,
  { signingAlgorithm }: AwsProofConfig,
  audience: string,
): Promise<string | ProofFault> {
  // Asked for by themselves first: what STS says when a role is assumed is not what it says of the token.
  const credentials = await credentialsOf(client)
  if (credentials instanceof ProofFault) return credentials
  try {
    const { WebIdentityToken: token } = await client.send(
      new GetWebIdentityTokenCommand({
        Audience: [audience],
        DurationSeconds: WEB_IDENTITY_SECONDS,
        SigningAlgorithm: signingAlgorithm,
      }),
    )
    return token ?? ''
  } catch (error) {
    return tokenFault(error)
  }
}
