import { append, pointer, type Operation } from './patch.ts'
import type { Container } from './pod.ts'

const LOOPBACKS = '127.0.0.1,localhost,::1'
const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
const spellings = ['NO_PROXY', 'no_proxy']

/** Variables for a container. One that its author set stays as it is; where a proxy is set, the loopback is excepted from it. */
export function addVariables(
  container: Container,
  at: readonly (string | number)[],
  variables: Readonly<Record<string, string>>,
  isLoopback: boolean,
): readonly Operation[] {
  const { env } = container
  const has = (name: string): boolean => env?.some((one) => one.name === name) === true
  const missing = Object.entries(variables).flatMap(([name, value]) =>
    has(name) ? [] : [{ name, value }],
  )
  const path = pointer(...at, 'env')
  if (!isLoopback || !proxies.some(has)) return append(env, path, missing)
  const { added, replaced } = withoutProxy(env ?? [], path)
  return [...replaced, ...append(env, path, [...missing, ...added])]
}

/**
 * A program reads either spelling, so both are seen to. One that comes from elsewhere cannot be read here, and a lone `*`
 * excepts everything already: in a list it would mean nothing to many programs.
 */
function withoutProxy(env: NonNullable<Container['env']>, path: string) {
  const replaced = spellings.flatMap((name): readonly Operation[] => {
    // Of two with one name the kubelet takes the last.
    const index = env.findLastIndex((one) => one.name === name)
    const variable = env[index]
    if (!variable || variable.valueFrom !== undefined) return []
    // An empty value is left out of what the API server sends.
    const { value = '' } = variable
    if (value.trim() === '*' || value.split(/[\s,]+/).includes('127.0.0.1')) return []
    const longer = value === '' ? LOOPBACKS : `${value},${LOOPBACKS}`
    return [{ op: 'add', path: path + pointer(index, 'value'), value: longer }]
  })
  // A list in lower case is what most programs read first: one in upper case beside it would change nothing.
  const known = env.some(({ name }) => spellings.includes(name))
  return { replaced, added: known ? [] : [{ name: 'NO_PROXY', value: LOOPBACKS }] }
}

/** Whether a proxy may get what is meant for the loopback, because its exceptions come from elsewhere. */
export function hasUnreadExceptions({ env = [] }: Container): boolean {
  return (
    env.some(({ name }) => proxies.includes(name)) &&
    env.some(({ name, valueFrom }) => spellings.includes(name) && valueFrom !== undefined)
  )
}
