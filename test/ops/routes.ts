import type { FastifyInstance } from 'fastify'

/**
 * The URLs that a listener has routes for, in the form of OpenAPI. Fastify shows them as a tree of prefixes, four characters a
 * level.
 */
export function routesOf(app: FastifyInstance): readonly string[] {
  const prefixes: string[] = []
  const urls = app
    .printRoutes()
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', node = '', methods] =
        /^((?:[│ ] {3})*)[├└]── (\S*?)(?: \((.+)\))?$/.exec(line) ?? []
      if (node === '') return []
      const level = indent.length / 4
      prefixes[level] = node
      const url = prefixes.slice(0, level + 1).join('')
      return methods === undefined
        ? []
        : [url.replaceAll(/:([a-z]+)/gi, '{$1}').replace('*', '{path}')]
    })
  return [...new Set(urls)].toSorted()
}
