import type { Workload } from '../broker/caller/workload.ts'
import { BrokerError } from '../broker/errors.ts'
import type { GetToken, Served } from '../broker/get_token.ts'
import { accessTokenOf } from '../broker/servable.ts'
import { fileSink, type Sink, type SinkToken } from '../broker/sink/file_sink.ts'
import { wishFor } from '../broker/wish.ts'
import type { SinkConfig } from '../config/config.ts'
import { writableFiles } from '../platform/written_file.ts'
import type { Surroundings } from './surroundings.ts'

/** Opens what keeps tokens in files. */
export function openSinks(
  sinks: readonly SinkConfig[],
  { getToken, pod }: { readonly getToken: GetToken; readonly pod: Workload },
  surroundings: Surroundings,
): Sink {
  const running = sinks.map((sink) => {
    const wish = wishFor(sink)
    const tokens = {
      current: () => {
        const served = getToken.fromCache(pod, wish)
        return served && tokenOf(served)
      },
      refusal: () => {
        const proof = pod.proofs.last()
        return proof && pod.tokens.refusalOf(pod.keyOf(wish, proof))
      },
      fetch: async () => {
        const served = await getToken.byExchange(pod, wish)
        return served instanceof BrokerError ? served : tokenOf(served)
      },
    }
    return fileSink(sink, tokens, { ...surroundings, files: writableFiles(surroundings.random) })
  })
  return {
    done: () => running.every((sink) => sink.done()),
    stop: async () => {
      await Promise.all(running.map((sink) => sink.stop()))
    },
  }
}

function tokenOf({ servable, expiresIn }: Served): SinkToken {
  return { accessToken: accessTokenOf(servable), scope: servable.scope ?? '', expiresIn }
}
