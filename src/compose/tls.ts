import { createSecureContext } from 'node:tls'
import type { TlsFiles } from '../config/tls.ts'
import { listen, type Listening, type ListenOptions, type TlsPair } from '../platform/listen.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { Watched } from '../platform/watched.ts'
import type { Opened } from './opened.ts'
import type { Surroundings } from './surroundings.ts'

const MAX_PEM_BYTES = 524_288

/** Listens with the certificate of the configuration, and with its successor once that lies in its place. */
export async function listenWithTls(
  options: Omit<ListenOptions, 'tls'>,
  files: TlsFiles | undefined,
  opened: Pick<Opened, 'follow'>,
  surroundings: Surroundings,
): Promise<Listening> {
  if (!files) return listen(options, surroundings.clock)
  const pair = opened.follow(await openTls(files, surroundings))
  const listening = await listen({ ...options, tls: pair.current() }, surroundings.clock)
  pair.onChange((changed) => {
    listening.useTls(changed)
  })
  return listening
}

function openTls(
  { certFile, keyFile }: TlsFiles,
  surroundings: Surroundings,
): Promise<Watched<TlsPair>> {
  return Watched.open(
    {
      what: 'tls',
      paths: [certFile, keyFile],
      maxBytes: MAX_PEM_BYTES,
      parse: ([cert, key]) => {
        const pair = {
          cert: cert?.bytes.toString('utf8') ?? '',
          key: key?.bytes.toString('utf8') ?? '',
        }
        try {
          createSecureContext(pair)
        } catch {
          throw new OperatorFault(`${certFile} and ${keyFile} are no TLS certificate with its key`)
        }
        return pair
      },
    },
    surroundings,
  )
}
