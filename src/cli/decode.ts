import { resolve } from 'node:path'
import { systemClock, unixSeconds } from '../platform/clock.ts'
import { showDuration } from '../platform/duration.ts'
import { systemFiles } from '../platform/files.ts'
import { OperatorFault } from '../platform/operator_fault.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../platform/strict_json.ts'
import { parseCompactJws } from '../verifier/jws.ts'
import { UsageFault, type ExitCode, type Io } from './io.ts'

type JsonObject = Readonly<Record<string, unknown>>

const MAX_INPUT_BYTES = 65_536

/** `lumo-broker decode [FILE]`: what a JWT says. Nothing of it is verified, and its signature is never printed. */
export async function decode(io: Io): Promise<ExitCode> {
  const [file = '-', ...more] = io.arguments
  if (more.length > 0 || (file.startsWith('-') && file !== '-')) {
    throw new UsageFault('decode takes one FILE, or standard input')
  }
  // A file that is not there is named in what is said of it, and standard error is what logs keep.
  if (isToken(file)) throw new UsageFault('pass a token on standard input, never as an argument')
  const bytes =
    file === '-'
      ? await io.readInput(MAX_INPUT_BYTES)
      : await systemFiles.read(resolve(io.workingFolder, file), MAX_INPUT_BYTES)
  const { header, payload } = readJws(tokenIn(bytes.toString('utf8').trim()))
  const now = unixSeconds(systemClock)
  const shown = {
    verified: false,
    note: 'Nothing was verified: neither the signature nor who made it.',
    header,
    claims: payload,
    dates: datesIn(payload, now),
  }
  io.stdout.write(`${asAscii(JSON.stringify(shown, null, 2))}\n`)
  const { exp } = payload
  if (isDate(exp) && exp <= now) {
    io.stderr.write(`lumo-broker: warning: it expired ${showDuration(now - exp)} ago\n`)
  }
  return 0
}

/** Whether an argument is what `tokenIn` takes. A file of such a name is given as `./eyJ`. */
function isToken(argument: string): boolean {
  return /^\s*(eyJ|\{|authorization:|bearer\s)/i.test(argument)
}

/** A token as people have it at hand: by itself, as the header that carries it, or in the answer that brought it. */
function tokenIn(text: string): string {
  if (text === '') throw new OperatorFault('there is nothing to decode')
  const [, inHeader] = /^(?:authorization:\s*)?bearer\s+(\S+)$/i.exec(text) ?? []
  if (inHeader !== undefined) return inHeader
  if (!text.startsWith('{')) return text
  const { access_token: inAnswer } = readAnswer(text)
  if (typeof inAnswer === 'string') return inAnswer
  throw new OperatorFault('the JSON has no access_token')
}

function readAnswer(text: string): JsonObject {
  try {
    const value = parseStrictJson(text)
    return isJsonObject(value) ? value : {}
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    throw new OperatorFault(`the JSON cannot be read: ${error.message}`)
  }
}

function readJws(text: string) {
  const jws = parseCompactJws(text)
  if (typeof jws !== 'string') return jws
  if (jws === 'too_large') throw new OperatorFault('it is too long for a token')
  if (/^[\w-]+(\.[\w-]*){4}$/.test(text)) {
    throw new OperatorFault('it is encrypted (a JWE): only whoever has the key can read it')
  }
  throw new OperatorFault(
    'it is no JWS: that is three parts of base64url with dots between them, the first two JSON objects',
  )
}

const dateNames = ['iat', 'nbf', 'exp', 'auth_time', 'updated_at']

/** Every NumericDate (RFC 7519 section 2) beside what it means. */
function datesIn(claims: JsonObject, now: number): Readonly<Record<string, string>> {
  const bound = claims['kubernetes.io']
  const found = [
    ...dateNames.map((name) => [name, claims[name]] as const),
    ['kubernetes.io.warnafter', isJsonObject(bound) ? bound['warnafter'] : undefined] as const,
  ]
  return Object.fromEntries(
    found.flatMap(([name, value]) => (isDate(value) ? [[name, showDate(value, now)]] : [])),
  )
}

/** The last that a JavaScript date can be. */
const LAST_SECOND = 8.64e12

function isDate(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= LAST_SECOND
}

function showDate(seconds: number, now: number): string {
  const moment = new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  const away = showDuration(seconds - now)
  return seconds > now ? `${moment}, in ${away}` : `${moment}, ${away} ago`
}

/** The same JSON without a character that a terminal could take for more than text. */
function asAscii(json: string): string {
  return json.replaceAll(
    /[^\n\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
