import { readFile } from 'node:fs/promises'

/**
 * The names that a list or a catalogue of the source declares, read from its text, for what is private to a file: a name that
 * is added there and is not described is found here. Throws where the text has no such declaration any more.
 */
export async function declaredIn(file: string, name: string): Promise<readonly string[]> {
  const text = await readFile(new URL(`../../src/${file}`, import.meta.url), 'utf8')
  const [, body] =
    new RegExp(`^(?:export )?const ${name}\\b[^=]*= ([^]*?)^\\S`, 'm').exec(text) ?? []
  const names = body?.startsWith('{')
    ? [...body.matchAll(/^ {2}(\w+): \[/gm)].map(([, key]) => key ?? '')
    : [...(body ?? '').matchAll(/'([^']+)'/g)].map(([, word]) => word ?? '')
  if (names.length === 0) throw new Error(`${file} declares no ${name}`)
  return names
}
