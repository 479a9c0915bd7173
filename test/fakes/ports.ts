import { createServer, type Server } from 'node:net'

/** Occupies a port of the loopback. Undefined when it is taken. */
export function occupy(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(undefined)
    })
    server.listen({ host: '127.0.0.1', port }, () => {
      resolve(server)
    })
  })
}

export function release(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server)
      server.close(() => {
        resolve()
      })
    else resolve()
  })
}

let next = 12_000 + Math.floor(Math.random() * 15_000)

/**
 * A port that is free together with those at these distances from it. It is looked for below the range from which the system
 * gives ports away, and each time above the last, so that no other test is given one of them meanwhile.
 */
export async function freePorts(distances: readonly number[]): Promise<number> {
  for (;;) {
    const first = next
    next += 1 + Math.max(...distances)
    const servers = await Promise.all(distances.map((distance) => occupy(first + distance)))
    await Promise.all(servers.map(release))
    if (!servers.includes(undefined)) return first
  }
}
