import { pino, type DestinationStream } from 'pino'
import type { Log } from '../platform/log.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly format: 'auto' | 'json' | 'pretty'
}

/** Where log lines go. */
export interface LogOutput {
  readonly isTTY: boolean
  write(text: string): void
}

/** The log over pino: a JSON object a line, or for people on a terminal. */
export async function openLog(options: LogOptions, output: LogOutput): Promise<Log> {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && output.isTTY)
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pretty ? await prettyStream(output) : output,
  )
  return {
    debug: (message, fields = {}) => {
      logger.debug(fields, message)
    },
    info: (message, fields = {}) => {
      logger.info(fields, message)
    },
    warn: (message, fields = {}) => {
      logger.warn(fields, message)
    },
    error: (message, fields = {}) => {
      logger.error(fields, message)
    },
  }
}

/** Loaded only where a person looks: a sidecar never pays for it. */
async function prettyStream(output: LogOutput): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({
    colorize: output.isTTY,
    translateTime: 'HH:MM:ss',
    singleLine: true,
  })
  return {
    write: (line) => {
      output.write(pretty(line) ?? '')
    },
  }
}
