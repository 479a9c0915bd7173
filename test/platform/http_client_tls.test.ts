import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { listen, type TlsPair } from '../../src/platform/listen.ts'
import { outcomeOf, requestTo } from '../fakes/asking.ts'
import { makeCa } from '../fakes/certificates.ts'
import { serve } from '../fakes/loopback.ts'
import { selfSigned } from '../fakes/self_signed.ts'

const ours = await makeCa('ours')
const theirs = await makeCa('theirs')
const http = nodeHttpClient(systemClock, {})

/** A TLS server with this certificate, or one of our CA. Gives its port, and what it was asked with. */
async function secure(pair?: TlsPair) {
  const seen: (string | undefined)[] = []
  const listening = await listen(
    {
      role: 'test',
      handler: (request, response) => {
        seen.push(request.headers.authorization)
        response.end('secure')
      },
      addresses: [{ host: '127.0.0.1', port: 0 }],
      tls: pair ?? (await ours.issue()),
    },
    systemClock,
  )
  onTestFinished(() => listening.close(0))
  return { port: listening.addresses[0]?.split(':')[1] ?? '', seen }
}

function ask(url: string, ca: string | undefined): Promise<readonly unknown[]> {
  const headers = { authorization: 'Bearer canary-token' }
  return outcomeOf(http(requestTo(url, { headers, ...(ca !== undefined && { ca }) })))
}

const good = [200, 'secure']

describe('a certificate', () => {
  test('of the CA is trusted, by address and by name', async () => {
    const { port } = await secure()
    expect(await ask(`https://127.0.0.1:${port}/`, ours.pem)).toEqual(good)
    expect(await ask(`https://localhost:${port}/`, ours.pem)).toEqual(good)
    expect(await ask(`https://127.0.0.1:${port}/`, `${theirs.pem}\n${ours.pem}`)).toEqual(good)
  })

  const untrusted: readonly (readonly [name: string, ca: string | undefined, why: string])[] = [
    ['of another CA', theirs.pem, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['of a CA that the system does not know', undefined, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['where the CA is no certificate', 'ca', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ]
  test.each(untrusted)('%s is not trusted, and nothing is sent', async (_, ca, why) => {
    const { port, seen } = await secure()
    expect(await ask(`https://127.0.0.1:${port}/`, ca)).toEqual([
      'tls_untrusted',
      `127.0.0.1:${port}: its certificate is not trusted (${why})`,
    ])
    expect(seen).toEqual([])
  })

  test('for another name is told apart, for it is the address that is wrong', async () => {
    const pair = await selfSigned({ name: 'elsewhere.example' })
    const { port, seen } = await secure(pair)
    expect(await ask(`https://localhost:${port}/`, pair.cert)).toEqual([
      'tls_wrong_name',
      `localhost:${port}: its certificate is made for another name`,
    ])
    expect(seen).toEqual([])
  })

  test.each([
    ['that has expired', { endedSecondsAgo: 60 }, 'CERT_HAS_EXPIRED'],
    ['that is not valid yet', { endedSecondsAgo: -3 * 86_400 }, 'CERT_NOT_YET_VALID'],
  ])('%s is not trusted, whoever signed it', async (_, wrong, why) => {
    const pair = await selfSigned(wrong)
    const { port, seen } = await secure(pair)
    expect(await ask(`https://localhost:${port}/`, pair.cert)).toEqual([
      'tls_untrusted',
      `localhost:${port}: its certificate is not trusted (${why})`,
    ])
    expect(seen).toEqual([])
  })

  test('that stands for itself is trusted where it is the CA, and nowhere else', async () => {
    const pair = await selfSigned({})
    const { port } = await secure(pair)
    expect(await ask(`https://localhost:${port}/`, pair.cert)).toEqual(good)
    expect(await ask(`https://localhost:${port}/`, ours.pem)).toEqual([
      'tls_untrusted',
      `localhost:${port}: its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)`,
    ])
  })

  test('that is trusted by one request is not by the next', async () => {
    const { port, seen } = await secure()
    const url = `https://127.0.0.1:${port}/`
    expect(await ask(url, ours.pem)).toEqual(good)
    expect((await ask(url, theirs.pem))[0]).toBe('tls_untrusted')
    expect((await ask(url, undefined))[0]).toBe('tls_untrusted')
    expect(await ask(url, ours.pem)).toEqual(good)
    expect(seen).toHaveLength(2)
  })

  test('is still judged after many CAs came and went', async () => {
    const { port } = await secure()
    const url = `https://127.0.0.1:${port}/`
    for (let count = 0; count < 10; count++) {
      expect((await ask(url, `${theirs.pem}${'\n'.repeat(count)}`))[0]).toBe('tls_untrusted')
    }
    expect(await ask(url, ours.pem)).toEqual(good)
  })
})

describe('a server of the other kind', () => {
  test('that speaks plain HTTP where TLS is asked for', async () => {
    const server = await serve({ '/': { body: 'plain' } })
    onTestFinished(server.close)
    expect((await ask(`https://${server.host}/`, ours.pem))[0]).toBe('cannot_connect')
    expect(server.seen).toEqual([])
  })

  test('that speaks TLS where plain HTTP is asked for', async () => {
    const { port, seen } = await secure()
    expect((await ask(`http://127.0.0.1:${port}/`, undefined))[0]).toBe('broken_off')
    expect(seen).toEqual([])
  })
})
