/** A file of agents in YAML, each written on one line. */
export function fileOf(path: string, ...agents: readonly string[]) {
  return { path, text: ['agents:', ...agents.map((agent) => `  - ${agent}`)].join('\n') }
}

/** One agent on one line, of an account of its own. */
export function agent(name: string, more = ''): string {
  return `{ name: ${name}, proof: { provider: prod, namespace: n, serviceAccount: sa-${name} }${more} }`
}
