import { isJsonObject, JsonFault, parseStrictJson } from '../platform/strict_json.ts'
import { decodeForm, MAX_PAIRS } from './form.ts'
import type { BodyForm } from './media_type.ts'

export type ParameterFault = 'body_malformed' | 'parameter_repeated' | 'parameter_malformed'

/** RFC 8693 section 2.1 and RFC 8707 section 2 let these two stand several times, and no others. */
const repeatable = new Set(['audience', 'resource'])
const none: ReadonlySet<string> = new Set()

/** Request parameters, none empty, each once but for `audience` and `resource`. */
export class Parameters {
  readonly #values: ReadonlyMap<string, readonly string[]>
  /** Whether one stood there without a value, which counts as none. */
  readonly hadEmpty: boolean

  private constructor(values: ReadonlyMap<string, readonly string[]>, hadEmpty: boolean) {
    this.#values = values
    this.hadEmpty = hadEmpty
  }

  /**
   * Reads a body. In JSON, `audience` and `resource` are a string or an array of strings, the rest strings; those named in
   * `numbers` may be a whole number as well.
   */
  static parse(
    body: Buffer,
    form: BodyForm,
    numbers: ReadonlySet<string> = none,
  ): Parameters | ParameterFault {
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    } catch {
      return 'body_malformed'
    }
    return form === 'json' ? Parameters.#ofJson(text, numbers) : Parameters.ofForm(text)
  }

  /** Reads a form, or a query string without its question mark. */
  static ofForm(text: string): Parameters | ParameterFault {
    const pairs = decodeForm(text)
    return pairs ? Parameters.#collect(pairs) : 'body_malformed'
  }

  static #ofJson(text: string, numbers: ReadonlySet<string>): Parameters | ParameterFault {
    let document: unknown
    try {
      document = text.trim() === '' ? {} : parseStrictJson(text)
    } catch (error) {
      if (error instanceof JsonFault) return 'body_malformed'
      throw error
    }
    if (!isJsonObject(document)) return 'body_malformed'
    const pairs: (readonly [string, string])[] = []
    for (const [name, value] of Object.entries(document)) {
      const values: readonly unknown[] =
        Array.isArray(value) && repeatable.has(name) ? value : [value]
      for (const one of values) {
        const written = numbers.has(name) && Number.isSafeInteger(one) ? String(one) : one
        if (typeof written !== 'string') return 'parameter_malformed'
        pairs.push([name, written])
      }
      if (pairs.length > MAX_PAIRS) return 'body_malformed'
    }
    return Parameters.#collect(pairs)
  }

  static #collect(pairs: readonly (readonly [string, string])[]): Parameters | ParameterFault {
    const values = new Map<string, readonly string[]>()
    for (const [name, value] of pairs) {
      const known = values.get(name)
      if (known && !repeatable.has(name)) return 'parameter_repeated'
      values.set(name, [...(known ?? []), value])
    }
    // An empty value counts as none (RFC 6749 section 3.2), but only after it was counted as a repetition.
    const given = [...values].map(
      ([name, all]) => [name, all.filter((value) => value !== '')] as const,
    )
    const hadEmpty = pairs.some(([, value]) => value === '')
    return new Parameters(new Map(given.filter(([, all]) => all.length > 0)), hadEmpty)
  }

  one(name: string): string | undefined {
    return this.#values.get(name)?.[0]
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  names(): readonly string[] {
    return [...this.#values.keys()]
  }
}
