import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { systemClock, type Clock } from '../../src/platform/clock.ts'
import { failure, json, success, type StsAnswer } from './sts/answers.ts'
import { checkSignature, type WireRequest } from './sts/signature.ts'
import { discovery, WebIdentityIssuer, wishOf } from './sts/web_identity.ts'

export interface StsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface RoleCredentials extends StsCredentials {
  readonly sessionToken: string
  readonly sessionName: string
  /** `AROA…` */
  readonly roleId: string
}

export interface StsOptions {
  readonly clock?: Clock
  readonly account?: string
  readonly partition?: string
  /** `iss` of web identity tokens; the origin of the server when not given. */
  readonly issuer?: string
  /** PEM, when it shall speak TLS. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** Who has a key. */
interface Owner {
  readonly credentials: StsCredentials
  readonly account: string
  /** As GetCallerIdentity answers it. */
  readonly arn: string
  readonly userId: string
  /** As a web identity token names it. */
  readonly subject: string
  readonly principalTags: Readonly<Record<string, string>>
}

type StsFailure = 'hang' | Partial<StsAnswer>

/**
 * STS on the loopback: it knows roles and users by their keys, recomputes every signature, and answers GetCallerIdentity
 * and GetWebIdentityToken, the latter with tokens that its own `/.well-known/jwks.json` verifies.
 */
export class FakeSts {
  /** Every request that came. */
  readonly seen: WireRequest[] = []
  /** While set, this is answered to every action, or nothing is. */
  failing: StsFailure | undefined
  /** True: the account has not switched on outbound federation. */
  federationOff = false
  readonly account: string
  readonly partition: string
  readonly tokens = new WebIdentityIssuer()
  readonly #clock: Clock
  readonly #issuer: string | undefined
  readonly #owners = new Map<string, Owner>()
  readonly #expired = new Set<string>()
  readonly #scheme: string
  readonly #server: Server
  #arrivals: { readonly count: number; readonly resolve: () => void }[] = []

  constructor({
    clock = systemClock,
    account = '111122223333',
    partition = 'aws',
    issuer,
    tls,
  }: StsOptions = {}) {
    this.#clock = clock
    this.account = account
    this.partition = partition
    this.#issuer = issuer
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      // Whoever asked may be gone before the answer is.
      this.#serve(request, response).catch(() => response.destroy())
    }
    this.#scheme = tls ? 'https' : 'http'
    this.#server = tls ? createTlsServer(tls, handler) : createServer(handler)
  }

  /** `http://127.0.0.1:PORT` or `https://`, once started. */
  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`
  }

  get issuer(): string {
    return this.#issuer ?? this.origin
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    return this
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
      this.#server.closeAllConnections()
    })
  }

  /** Resolves once that many requests have come. */
  arrived(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#arrivals.push({ count, resolve })
    if (this.seen.length >= count) resolve()
    return promise
  }

  /** A role with one session. `path` as in `/team/`. */
  addRole(
    name: string,
    {
      path = '/',
      sessionName = 'session-1',
      principalTags = {},
    }: {
      readonly path?: string
      readonly sessionName?: string
      readonly principalTags?: Readonly<Record<string, string>>
    } = {},
  ): RoleCredentials {
    const roleId = uniqueId('AROA')
    const credentials = { ...keyPair('ASIA'), sessionToken: randomBytes(256).toString('base64') }
    this.#add({
      credentials,
      account: this.account,
      arn: `arn:${this.partition}:sts::${this.account}:assumed-role/${name}/${sessionName}`,
      userId: `${roleId}:${sessionName}`,
      subject: `arn:${this.partition}:iam::${this.account}:role${path}${name}`,
      principalTags,
    })
    return { ...credentials, sessionName, roleId }
  }

  /** A user with an access key. */
  addUser(name: string, path = '/'): StsCredentials & { readonly userId: string } {
    const userId = uniqueId('AIDA')
    const arn = `arn:${this.partition}:iam::${this.account}:user${path}${name}`
    return { ...this.addCaller(arn, userId), userId }
  }

  /** Any other caller, as GetCallerIdentity shall name it: root, a federated user, one of another account. */
  addCaller(arn: string, userId: string, account = this.account): StsCredentials {
    const credentials = keyPair('AKIA')
    this.#add({ credentials, account, arn, userId, subject: arn, principalTags: {} })
    return credentials
  }

  /** From now on these are expired. */
  expire({ accessKeyId }: StsCredentials): void {
    this.#expired.add(accessKeyId)
  }

  #add(owner: Owner): void {
    this.#owners.set(owner.credentials.accessKeyId, owner)
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of incoming.setEncoding('utf8')) body += String(chunk)
    const { method = '', url: path = '' } = incoming
    const headers = incoming.headers as WireRequest['headers']
    const request = { method, path, headers, body }
    this.seen.push(request)
    for (const { resolve } of this.#arrivals.filter((one) => one.count <= this.seen.length))
      resolve()
    const answer = await this.#answer(request)
    if (answer === 'hang') return
    const { status = 200, headers: more = {}, body: text = '' } = answer
    response.writeHead(status, more).end(text)
  }

  async #answer(request: WireRequest): Promise<StsFailure> {
    if (request.path === '/.well-known/openid-configuration')
      return json(200, discovery(this.issuer))
    if (request.path === '/.well-known/jwks.json') return json(200, await this.tokens.jwks())
    return this.failing ?? this.#act(request)
  }

  #act(request: WireRequest): StsAnswer | Promise<StsAnswer> {
    const { accept } = request.headers
    const fail = (status: number, code: string, message = 'see the code') =>
      failure(status, code, message, accept)
    const signed = checkSignature(
      request,
      (id) => this.#owners.get(id)?.credentials,
      this.#clock.wall(),
    )
    if ('error' in signed)
      return fail(signed.error === 'IncompleteSignature' ? 400 : 403, signed.error)
    const owner = this.#owners.get(signed.accessKeyId)
    if (!owner) return fail(403, 'InvalidClientTokenId')
    if (this.#expired.has(signed.accessKeyId)) return fail(403, 'ExpiredToken')
    const parameters = new URLSearchParams(`${request.path.split('?')[1] ?? ''}&${request.body}`)
    if (parameters.get('Version') !== '2011-06-15') return fail(400, 'InvalidAction')
    switch (parameters.get('Action')) {
      case 'GetCallerIdentity':
        return success(
          'GetCallerIdentity',
          { Arn: owner.arn, UserId: owner.userId, Account: owner.account },
          accept,
        )
      case 'GetWebIdentityToken':
        if (this.federationOff) return fail(403, 'OutboundWebIdentityFederationDisabledException')
        return this.#webIdentity(owner, signed.region, parameters, accept)
      default:
        return fail(400, 'InvalidAction')
    }
  }

  async #webIdentity(
    { account, subject, principalTags }: Owner,
    region: string,
    parameters: URLSearchParams,
    accept: string | undefined,
  ): Promise<StsAnswer> {
    const wish = wishOf(parameters)
    if (!wish) return failure(400, 'ValidationError', 'a parameter is out of bounds', accept)
    const now = Math.floor(this.#clock.wall() / 1000)
    const token = await this.tokens.token(
      this.issuer,
      { account, arn: subject, region, principalTags },
      wish,
      now,
    )
    const Expiration = new Date((now + wish.seconds) * 1000).toISOString()
    return success('GetWebIdentityToken', { WebIdentityToken: token, Expiration }, accept)
  }
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** An id of IAM's form: the prefix and 16 letters or digits. */
function uniqueId(prefix: string): string {
  return prefix + [...randomBytes(16)].map((byte) => LETTERS[byte % 32]).join('')
}

function keyPair(prefix: string): StsCredentials {
  return { accessKeyId: uniqueId(prefix), secretAccessKey: randomBytes(30).toString('base64') }
}
