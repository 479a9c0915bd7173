import { parseArgs } from 'node:util'
import { UsageFault } from './io.ts'

/** How an option is given: once and always, once with a default, once or not, or any number of times. */
type Rule = 'required' | 'optional' | 'repeated' | 'flag' | { readonly default: string }

type ValueOf<R> = R extends 'repeated'
  ? readonly string[]
  : R extends 'flag'
    ? boolean
    : R extends 'optional'
      ? string | undefined
      : string

type Rules = Readonly<Record<string, Rule>>
type Options<R extends Rules> = { readonly [Name in keyof R]: ValueOf<R[Name]> }

/**
 * Reads `--name VALUE` options, and nothing else.
 * @throws UsageFault
 */
export function options<const R extends Rules>(given: readonly string[], rules: R): Options<R> {
  const { values, words } = read(given, rules, false)
  if (words.length > 0) throw new UsageFault('only options are taken')
  return values
}

/**
 * Reads options and one word beside them: what a command works on. Where it comes first it may begin with a dash, as the
 * thumbprint of one key in sixty-four does.
 * @throws UsageFault
 */
export function wordAndOptions<const R extends Rules>(
  given: readonly string[],
  what: string,
  rules: R,
): Options<R> & { readonly word: string } {
  const [first = '', ...others] = given
  const begins = first !== '' && !Object.keys(rules).some((name) => first.startsWith(`--${name}`))
  const { values, words } = read(begins ? others : given, rules, true)
  const [word, ...more] = begins ? [first, ...words] : words
  if (word === undefined || more.length > 0) throw new UsageFault(`one ${what} must be given`)
  return { ...values, word }
}

function read<const R extends Rules>(
  given: readonly string[],
  rules: R,
  allowPositionals: boolean,
): { readonly values: Options<R>; readonly words: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...given],
      options: Object.fromEntries(
        Object.entries(rules).map(([name, rule]) => [
          name,
          rule === 'flag'
            ? { type: 'boolean' as const }
            : { type: 'string' as const, multiple: rule === 'repeated' },
        ]),
      ),
      strict: true,
      allowPositionals,
    })
    const read = Object.entries(rules).map(([name, rule]) => [
      name,
      valueOf(name, rule, values[name]),
    ])
    return { values: Object.fromEntries(read) as Options<R>, words: positionals }
  } catch (error) {
    if (error instanceof UsageFault) throw error
    throw new UsageFault(sentenceOf(error))
  }
}

/** Node's own texts have several lines, and repeat words that may be tokens. */
function sentenceOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const [name = 'an option'] = /--?[a-zA-Z][\w-]{0,40}/.exec(message) ?? []
  switch (code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return `there is no option ${name} here`
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return 'only options are taken'
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      if (message.includes('does not take')) return `${name} takes no value`
      return message.includes('ambiguous')
        ? `${name} must have a value; one that begins with a dash is given as ${name}=VALUE`
        : `${name} must have a value`
    default:
      return 'the options cannot be read'
  }
}

function valueOf(name: string, rule: Rule, value: unknown): unknown {
  switch (rule) {
    case 'repeated':
      return value ?? []
    case 'flag':
      return value ?? false
    case 'optional':
      return value
    case 'required':
      if (value === undefined) throw new UsageFault(`--${name} must be given`)
      return value
    default:
      return value ?? rule.default
  }
}
