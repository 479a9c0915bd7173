import { Socket, type NetConnectOpts } from 'node:net'
import { isLoopbackHost } from '../src/platform/http_client.ts'

/**
 * Tests reach this machine and nothing else: one that needs the network says so by failing here. Every way to connect ends
 * in `Socket.connect` with its arguments normalized to one list.
 */
const connect = Reflect.get(Socket.prototype, 'connect') as (...given: unknown[]) => Socket

function connectHere(this: Socket, ...given: unknown[]) {
  const [first] = given
  const options = (Array.isArray(first) ? first[0] : first) as NetConnectOpts
  if ('port' in options && !isLoopbackHost(options.host ?? 'localhost')) {
    throw new Error(`a test tried to reach ${options.host ?? ''}`)
  }
  return Reflect.apply(connect, this, given)
}

// Loaded again for each test file of a worker.
if (connect.name !== connectHere.name) Socket.prototype.connect = connectHere
