import type { HttpAnswer, HttpClient } from '../../platform/http_client.ts'
import { HttpFailure } from '../../platform/http_client.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../../platform/strict_json.ts'
import { CannotVerify, ProofRefusal, type RefusalCode } from '../refusal.ts'
import { writeAuthorization } from './authorization.ts'
import { hasExactly } from './signed_headers.ts'
import { GET_CALLER_IDENTITY, type SignedRequest } from './signed_request.ts'

/** What GetCallerIdentity answers. Its texts are not judged yet. */
export interface CallerIdentity {
  readonly Account: string
  readonly Arn: string
  readonly UserId: string
}

interface StsConnection {
  readonly name: string
  readonly endpoint?: URL | undefined
  readonly ask: HttpClient
}

const MAX_ANSWER_BYTES = 16_384
const RETRY_AFTER_SECONDS = 5

/**
 * What STS may say of the caller, by what it means to us. Every other code speaks of load, of our clock, of the region, of
 * the endpoint that we ask (no policy of the caller's can deny GetCallerIdentity, one of a VPC endpoint can) or of the request
 * that we built, and none of that is the caller's fault.
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
const OF_THE_CALLER: ReadonlyMap<string, RefusalCode> = new Map<string, RefusalCode>([
  ['SignatureDoesNotMatch', 'signature_invalid'],
  ['IncompleteSignature', 'signature_invalid'],
  ['InvalidClientTokenId', 'caller_unknown'],
  ['UnrecognizedClientException', 'caller_unknown'],
  ['ExpiredToken', 'caller_unknown'],
  ['ExpiredTokenException', 'caller_unknown'],
  ['MissingAuthenticationToken', 'caller_unknown'],
  ['MissingAuthenticationTokenException', 'caller_unknown'],
])

/**
 * Asks STS whose signature a request carries. The request is built anew from what was parsed; of what was sent only the
 * values of allowed headers go along. `accept` is ours and not signed: STS writes JSON for it.
 */
export async function askCallerIdentity(
  request: SignedRequest,
  { name, endpoint, ask }: StsConnection,
): Promise<CallerIdentity | ProofRefusal | CannotVerify> {
  const cannot = (detail: string) => new CannotVerify(detail, name, RETRY_AFTER_SECONDS)
  let answer: HttpAnswer
  try {
    answer = await ask({
      method: 'POST',
      url: new URL(`/${GET_CALLER_IDENTITY}`, endpoint ?? `https://${request.host}`),
      headers: {
        ...Object.fromEntries(request.headers),
        authorization: writeAuthorization(request.authorization),
        accept: 'application/json',
      },
      body: '',
      connectTimeoutMs: 2_000,
      totalTimeoutMs: 5_000,
      maxBytes: MAX_ANSWER_BYTES,
    })
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error
    return cannot(`STS cannot be asked: ${error.message}`)
  }
  if (answer.status === 200)
    return readIdentity(answer) ?? cannot('STS gave an answer that is not understood')
  const code =
    answer.status >= 400 && answer.status < 500
      ? OF_THE_CALLER.get(errorCode(answer) ?? '')
      : undefined
  if (code === undefined) return cannot(`STS answered ${String(answer.status)}`)
  return new ProofRefusal(code, 'STS does not accept the signature or its owner', name)
}

function readIdentity(answer: HttpAnswer): CallerIdentity | undefined {
  const type = mediaType(answer)
  if (type === 'application/json') return identityOfJson(answer.body)
  return type === 'text/xml' || type === 'application/xml' ? identityOfXml(answer.body) : undefined
}

function mediaType(answer: HttpAnswer): string | undefined {
  return answer.header('content-type')?.split(';')[0]?.trim().toLowerCase()
}

/** Every member on the way has to be the one that belongs there: a lax reader finds an identity in any of them. */
function identityOfJson(body: string): CallerIdentity | undefined {
  const root = jsonOf(body)
  if (!isJsonObject(root) || !hasExactly(root, ['GetCallerIdentityResponse'])) return undefined
  const response = root['GetCallerIdentityResponse']
  if (!isJsonObject(response)) return undefined
  if (!hasExactly(response, ['GetCallerIdentityResult', 'ResponseMetadata'])) return undefined
  const result = response['GetCallerIdentityResult']
  if (!isJsonObject(result) || !hasExactly(result, ['Account', 'Arn', 'UserId'])) return undefined
  const { Account, Arn, UserId } = result
  return typeof Account === 'string' && typeof Arn === 'string' && typeof UserId === 'string'
    ? { Account, Arn, UserId }
    : undefined
}

function jsonOf(body: string): unknown {
  try {
    return parseStrictJson(body)
  } catch (error) {
    if (error instanceof JsonFault) return undefined
    throw error
  }
}

/**
 * The whole document, from its first character to its last. An XML decoder that looks for an element would also find one
 * inside text that STS reflects (CVE-2020-16250), and would resolve what entities say.
 */
const DOCUMENT =
  /^(?:<\?xml version="1\.0"(?: encoding="(?:utf|UTF)-8")?\?>)?\s*<GetCallerIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/">\s*<GetCallerIdentityResult>(?<result>(?:\s*<(?:Arn|UserId|Account)>[^<>&]{1,2048}<\/(?:Arn|UserId|Account)>){3})\s*<\/GetCallerIdentityResult>\s*<ResponseMetadata>\s*<RequestId>[\w-]{1,64}<\/RequestId>\s*<\/ResponseMetadata>\s*<\/GetCallerIdentityResponse>\s*$/

function identityOfXml(body: string): CallerIdentity | undefined {
  const result = DOCUMENT.exec(body)?.groups?.['result'] ?? ''
  const elements = new Map<string, string>()
  for (const [, name = '', value = ''] of result.matchAll(/<(\w+)>([^<]*)<\/\1>/g))
    elements.set(name, value)
  const Account = elements.get('Account')
  const Arn = elements.get('Arn')
  const UserId = elements.get('UserId')
  // Three elements, so one of each name or one is missing.
  return Account !== undefined && Arn !== undefined && UserId !== undefined
    ? { Account, Arn, UserId }
    : undefined
}

/** The code of an error. It grants nothing, so how the document goes on is of no interest. */
function errorCode(answer: HttpAnswer): string | undefined {
  if (mediaType(answer) !== 'application/json') {
    return /^(?:<\?xml[^<>]{0,64}\?>)?\s*<ErrorResponse[^<>]{0,128}>\s*(?:<Errors>\s*)?<Error>\s*(?:<Type>\w{1,32}<\/Type>\s*)?<Code>(\w{1,64})<\/Code>/.exec(
      answer.body,
    )?.[1]
  }
  const body = jsonOf(answer.body)
  const error = isJsonObject(body) ? body['Error'] : undefined
  const code = isJsonObject(error) ? error['Code'] : undefined
  return typeof code === 'string' ? code : undefined
}
