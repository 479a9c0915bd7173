import { FileFault, type Files } from '../platform/files.ts'
import { HttpFailure, type HttpAnswer, type HttpClient } from '../platform/http_client.ts'
import { printable } from '../platform/printable.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../platform/strict_json.ts'
import { adviceFor, adviceOnFailure } from './broker_advice.ts'
import type { BrokerPlace } from './broker_place.ts'
import type { TokenWish } from './token_wish.ts'

/** A broker that listens somewhere, and what it is shown. */
export interface CallerDependencies {
  readonly place: BrokerPlace
  /** Holds the token that a node broker wants to see; read anew for each request, for it rotates. */
  readonly proofFile: string | undefined
  /** PEM certificates to trust for it instead of the system. */
  readonly caFile: string | undefined
  readonly http: HttpClient
  readonly files: Files
}

type JsonObject = Readonly<Record<string, unknown>>

export interface TokenAnswer {
  readonly accessToken: string
  readonly body: JsonObject
}

/**
 * Nothing usable came.
 * - `no_answer`: it does not listen, or not yet, or what it is to be shown cannot be read.
 * - `no_broker`: something else answers.
 * - `refused`: the broker says no; `final` where asking again would change nothing.
 */
export class NotServed {
  readonly kind: 'no_answer' | 'no_broker' | 'refused'
  readonly what: string
  readonly advice: string
  /** Of the refusal. */
  readonly status: number | undefined
  constructor(kind: NotServed['kind'], what: string, advice: string, status?: number) {
    this.kind = kind
    this.what = what
    this.advice = advice
    this.status = status
  }

  get final(): boolean {
    const { status = 0 } = this
    return status >= 400 && status < 500 && status !== 408 && status !== 429
  }

  get sentence(): string {
    return `${this.what}; ${this.advice}`
  }
}

/** Asks a running broker over HTTP, as the applications of its pod do. Never rejects for what the broker does. */
export interface BrokerCaller {
  token(wish: TokenWish, signal?: AbortSignal): Promise<TokenAnswer | NotServed>
  identity(): Promise<JsonObject | NotServed>
}

/** The broker itself waits up to 8 s for its authority. */
const BOUNDS = { connectTimeoutMs: 2_000, totalTimeoutMs: 10_000, maxBytes: 65_536 }
const MAX_PROOF_BYTES = 16_384
const MAX_CA_BYTES = 1_048_576

export function brokerCaller(dependencies: CallerDependencies): BrokerCaller {
  return {
    async token(wish, signal) {
      const form = { method: 'POST', body: wish.form, namesAgent: wish.namesAgent } as const
      const body = await ask('/v1/token', form, dependencies, signal)
      if (body instanceof NotServed) return body
      const { access_token: accessToken } = body
      if (typeof accessToken !== 'string' || !/^[\x21-\x7e]+$/.test(accessToken)) {
        return stranger(dependencies.place)
      }
      return { accessToken, body }
    },
    identity: () => ask('/v1/identity', { method: 'GET', namesAgent: false }, dependencies),
  }
}

/** How the place is called in sentences. */
export function showPlace({ url, socket }: BrokerPlace): string {
  return socket ?? url.origin
}

interface AskedFor {
  readonly method: 'GET' | 'POST'
  readonly body?: string
  readonly namesAgent: boolean
}

async function ask(
  path: string,
  { namesAgent, ...request }: AskedFor,
  { place, http, ...dependencies }: CallerDependencies,
  signal?: AbortSignal,
): Promise<JsonObject | NotServed> {
  try {
    const proof = await proofOf(dependencies)
    const ca = await caOf(dependencies)
    const answer = await http({
      ...BOUNDS,
      ...request,
      url: new URL(path, place.url),
      headers: {
        'lumo-broker': 'true',
        ...(proof !== undefined && { authorization: `Bearer ${proof}` }),
        ...(request.body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(ca !== undefined && { ca }),
      ...(place.socket !== undefined && { socketPath: place.socket }),
      ...(signal && { signal }),
    })
    return judge(answer, place, namesAgent)
  } catch (error) {
    if (error instanceof NotServed) return error
    if (error instanceof FileFault) {
      return new NotServed('no_answer', error.message, 'is it mounted in this container?')
    }
    if (!(error instanceof HttpFailure)) throw error
    return new NotServed(
      'no_answer',
      `no broker answers at ${showPlace(place)} (${printable(error.message, 300)})`,
      adviceOnFailure(error, place),
    )
  }
}

async function proofOf({
  proofFile,
  files,
}: Pick<CallerDependencies, 'proofFile' | 'files'>): Promise<string | undefined> {
  if (proofFile === undefined) return undefined
  const text = (await files.read(proofFile, MAX_PROOF_BYTES)).toString('utf8').trim()
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new NotServed('no_answer', `${proofFile} holds no token`, 'is it the projected one?')
}

async function caOf({
  caFile,
  files,
}: Pick<CallerDependencies, 'caFile' | 'files'>): Promise<string | undefined> {
  return caFile === undefined
    ? undefined
    : (await files.read(caFile, MAX_CA_BYTES)).toString('utf8')
}

function judge(
  answer: HttpAnswer,
  place: BrokerPlace,
  namesAgent: boolean,
): JsonObject | NotServed {
  const { status, body } = answer
  const object = readObject(body)
  if (status === 200 && object) return object
  const { code, error, error_description: description } = object ?? {}
  if (typeof code !== 'string' || !/^[a-z_]{1,64}$/.test(code)) return stranger(place, status)
  const ofAuthority = typeof error === 'string' && /^[a-z_]{1,64}$/.test(error) ? ` (${error})` : ''
  const text = typeof description === 'string' ? printable(description, 300) : ''
  const again = answer.header('retry-after')
  const when = again !== undefined && /^\d{1,6}$/.test(again) ? `, again in ${again} s` : ''
  return new NotServed(
    'refused',
    `the broker answers ${String(status)} ${code}${ofAuthority}: ${text.replace(/\.$/, '')}${when}`,
    adviceFor(code, status, namesAgent),
    status,
  )
}

function stranger(place: BrokerPlace, status?: number): NotServed {
  const how = status === undefined ? '' : ` (${String(status)})`
  return new NotServed(
    'no_broker',
    `what answers at ${showPlace(place)} is no broker${how}`,
    'is this its address?',
  )
}

function readObject(text: string): JsonObject | undefined {
  try {
    const value = parseStrictJson(text)
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof JsonFault) return undefined
    throw error
  }
}
