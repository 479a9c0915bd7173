import { OperatorFault } from './operator_fault.ts'

/** The variables that Node's own agents read, as they are given to them. */
export type ProxyEnvironment = Readonly<Record<string, string>>

const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']

/**
 * Takes what is said of proxies out of an environment.
 * @throws OperatorFault when a proxy is no URL
 */
export function proxyEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ProxyEnvironment {
  const given: Record<string, string> = {}
  for (const name of NAMES) {
    const value = environment[name]
    if (value === undefined || value === '') continue
    if (!name.toLowerCase().startsWith('no_') && !URL.canParse(value)) {
      // Not quoted: it may hold a password.
      throw new OperatorFault(`${name} is no URL`)
    }
    given[name] = value
  }
  return given
}

/**
 * Whether requests to a URL with a name in it go through a proxy, as Node decides it (`http.Agent`, option `proxyEnv`);
 * ranges of addresses in `NO_PROXY` are left out, for they never fit a name.
 */
export function isProxied({ protocol, hostname, port }: URL, given: ProxyEnvironment): boolean {
  if (protocol !== 'https:' || (given['https_proxy'] ?? given['HTTPS_PROXY']) === undefined) {
    return false
  }
  const host = hostname.toLowerCase()
  const withPort = `${host}:${port === '' ? '443' : port}`
  const exceptions = (given['no_proxy'] ?? given['NO_PROXY'] ?? '').toLowerCase().split(',')
  return !exceptions
    .map((entry) => entry.trim())
    .some(
      (entry) =>
        entry === '*' ||
        entry === host ||
        entry === withPort ||
        (entry.startsWith('.') && host.endsWith(entry.slice(1))) ||
        (entry.startsWith('*.') && host.endsWith(entry.slice(1))),
    )
}
