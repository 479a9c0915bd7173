/** What a log line may carry. There is no place for an object: a claim set or a request never fits by accident. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>> & {
  /** Names that every line has already. */
  readonly [taken in 'level' | 'time' | 'msg']?: never
}

/**
 * The operator's log. Messages are fixed texts, data goes into fields, and a field holds only what is configured here or
 * was verified: never a byte of unverified input, for that is where a caller's misplaced secret would be.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/**
 * What may be logged of an error that nobody foresaw: its kind and where it came from. Its message stays out, for messages
 * of libraries and of the engine quote what they were given.
 */
export function causeOf(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error }
  const { code } = error as { code?: unknown }
  return {
    error: error.name,
    code: typeof code === 'string' ? code : undefined,
    at: error.stack
      ?.split('\n')
      .find((line) => line.startsWith('    at '))
      ?.trim(),
  }
}
