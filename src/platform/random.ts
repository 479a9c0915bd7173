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
