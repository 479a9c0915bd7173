import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { decodeProtectedHeader } from 'jose'
import { kidOf } from '../../fakes/cluster.ts'
import { CONTROL_PLANE } from '../cluster.ts'
import { idlePod, tokensByService } from '../proof_tokens.ts'
import { nodeOfIt, reviewingAuthority, type Exchange } from '../reviewing.ts'
import { audienceOf, PROVER } from '../reviewing_authority.ts'
import { until, type Case, type World } from '../world.ts'

const NAME = 'key-rotation'
/** As long as a broker keeps trying. */
const RETRY_SECONDS = 8
const PAUSE_MS = 300
const SETTLE_SECONDS = 15
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml'
const KEYS = '/etc/kubernetes/pki'

const pause = (ms: number): Promise<unknown> => new Promise((wake) => setTimeout(wake, ms))

/**
 * The cluster signs with a new key, and its API server is away for a while. Who has a good token gets theirs exchanged all the
 * time, whichever key has signed it.
 */
export const keyRotation: Case = {
  name: 'key rotation',
  async begin({ cluster }) {
    await reviewingAuthority(cluster)
    await idlePod(cluster, NAME, PROVER)
  },
  async run(world) {
    const exchange = await reviewingAuthority(world.cluster)
    const makeToken = await tokensByService(world.cluster, await nodeOfIt(world.cluster))
    const loops = (['offline', 'preferred'] as const).map((provider) => {
      const make = () => makeToken(PROVER, [audienceOf(provider)], { kind: 'Pod', name: NAME })
      return new ExchangeLoop(provider, make, exchange)
    })
    for (const loop of loops) await loop.begin()
    try {
      const kid = await rotateKey(world)
      for (const loop of loops) await loop.untilExchanged(kid)
      await pause(SETTLE_SECONDS * 1000)
    } finally {
      for (const loop of loops) await loop.end()
    }
    for (const loop of loops) loop.report()
  },
}

/** Exchanges the newest token, and the very first one, again and again. */
class ExchangeLoop {
  readonly #provider: string
  readonly #makeToken: () => Promise<string>
  readonly #exchange: Exchange
  readonly #failures: string[] = []
  readonly #exchanged = new Map<string, number>()
  #longestMs = 0
  #first = ''
  #newest = ''
  #stopped = false
  #running: readonly Promise<void>[] = []

  constructor(provider: string, makeToken: () => Promise<string>, exchange: Exchange) {
    this.#provider = provider
    this.#makeToken = makeToken
    this.#exchange = exchange
  }

  async begin(): Promise<void> {
    this.#first = await this.#makeToken()
    this.#newest = this.#first
    this.#running = [this.#renew(), this.#show()]
  }

  untilExchanged(kid: string): Promise<true> {
    return until(`a token of the new key, exchanged as ${this.#provider}`, () =>
      Promise.resolve(this.#exchanged.has(kid) ? true : undefined),
    )
  }

  async end(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#running)
  }

  report(): void {
    const counts = [...this.#exchanged.values()]
    process.stdout.write(
      `       ${this.#provider}: ${counts.join(' + ')} exchanges by the old and the new key, the longest took ${(this.#longestMs / 1000).toFixed(1)} s\n`,
    )
    assert.deepEqual(this.#failures, [])
    assert.equal(counts.length, 2, 'tokens of both keys were exchanged')
  }

  /**
   * While the API server is away there are no new tokens. They are made through its Service, by which the authority reads the
   * keys, for before kube-proxy leads there again (up to half a minute later) nothing can verify a token of the new key.
   */
  async #renew(): Promise<void> {
    while (!this.#stopped) {
      const token = await this.#makeToken().catch(() => undefined)
      if (token !== undefined) this.#newest = token
      await pause(PAUSE_MS)
    }
  }

  async #show(): Promise<void> {
    while (!this.#stopped) {
      for (const token of new Set([this.#newest, this.#first])) await this.#showOne(token)
      await pause(PAUSE_MS)
    }
  }

  async #showOne(token: string): Promise<void> {
    const begun = performance.now()
    const kid = decodeProtectedHeader(token).kid ?? ''
    const failure = await this.#outcome(token, begun + RETRY_SECONDS * 1000)
    this.#longestMs = Math.max(this.#longestMs, performance.now() - begun)
    if (failure === undefined) this.#exchanged.set(kid, (this.#exchanged.get(kid) ?? 0) + 1)
    else this.#failures.push(failure)
  }

  /** What a broker makes of it: what cannot be verified now is shown again when the authority says so. */
  async #outcome(token: string, giveUpAt: number): Promise<string | undefined> {
    for (;;) {
      const answer = await this.#exchange(token).catch(String)
      if (typeof answer === 'string') return answer
      const { status, body, retryAfterSeconds = 1 } = answer
      if (status === 200) return undefined
      const failure = `${String(status)} ${String(body['error'])}`
      const again = performance.now() + retryAfterSeconds * 1000
      if (status !== 503 || again > giveUpAt) return failure
      await pause(retryAfterSeconds * 1000)
    }
  }
}

/** Restarts the API server with a new key to sign with and both to verify with. The name of the new one. */
async function rotateKey({ cluster }: World): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = {
    private: privateKey.export({ type: 'pkcs1', format: 'pem' }),
    public: publicKey.export({ type: 'spki', format: 'pem' }),
  }
  const onControlPlane = (script: string, input = '') =>
    cluster.onNode(CONTROL_PLANE, ['sh', '-c', script], input)
  await onControlPlane(`umask 077; cat > ${KEYS}/sa-new.key`, pem.private)
  await onControlPlane(`cat > ${KEYS}/sa-new.pub`, pem.public)
  // Made beside the folder and moved into it: the kubelet reads whatever lies there, half written or not.
  await onControlPlane(
    `sed -e 's|^\\( *- --service-account-key-file=\\).*|&\\n\\1${KEYS}/sa-new.pub|' \\
         -e 's|\\(--service-account-signing-key-file=\\).*|\\1${KEYS}/sa-new.key|' \\
         ${MANIFEST} > /etc/kubernetes/kube-apiserver.new && mv /etc/kubernetes/kube-apiserver.new ${MANIFEST}`,
  )
  return kidOf(publicKey)
}
