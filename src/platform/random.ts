import { randomBytes, randomUUID } from 'node:crypto'

/** Every source of chance in the program. */
export interface Random {
  uuid(): string
  bytes(count: number): Buffer
}

export const systemRandom: Random = {
  uuid: () => randomUUID(),
  bytes: (count) => randomBytes(count),
}

/** A number from 0 to below 1, to spread things in time. */
export function fractionOf(random: Random): number {
  return random.bytes(4).readUInt32BE() / 2 ** 32
}
