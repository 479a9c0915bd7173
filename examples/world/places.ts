const DISTANCES = {
  authority: 0,
  app: 2,
  documents: 3,
  orchestratorBroker: 10,
  proxy: 11,
  specialist: 15,
  mcpServer: 16,
  otherMcpServer: 17,
  authorityOperations: 20,
  orchestratorOperations: 21,
  specialistOperations: 22,
  readerOperations: 23,
  specialistBroker: 30,
  readerBroker: 40,
} as const

export type Place = keyof typeof DISTANCES

/** How far each listener of the world is from the first port. */
export const distances: readonly number[] = Object.values(DISTANCES)

/** Where everything listens, all of it on the loopback. */
export interface Places {
  portOf(place: Place): number
  /** As a listener is configured. */
  addressOf(place: Place): string
  urlOf(place: Place): string
}

export function placesFrom(first: number): Places {
  const portOf = (place: Place): number => first + DISTANCES[place]
  const addressOf = (place: Place): string => `127.0.0.1:${String(portOf(place))}`
  return { portOf, addressOf, urlOf: (place) => `http://${addressOf(place)}` }
}
