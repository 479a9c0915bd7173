/** What a log line may carry. There is no place for an object: a claim set or a request never fits by accident. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

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
