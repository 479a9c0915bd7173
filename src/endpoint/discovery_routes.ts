import type { FastifyInstance, FastifyReply } from 'fastify'
import { metadataOf } from './metadata.ts'
import { otherMethods, preflight, prefixes, type TenantParams } from './reply.ts'
import type { Tenant } from './tenant.ts'

interface DiscoveryDependencies {
  readonly origin: string
  readonly tenants: ReadonlyMap<string, Tenant>
}

const documents = ['openid-configuration', 'oauth-authorization-server'] as const
const allowed = ['GET', 'HEAD', 'OPTIONS']
const headers = { 'access-control-allow-methods': allowed.join(', '), ...preflight }

/**
 * Discovery and keys, at every place where a client computes them: under the issuer, at the forms that RFC 8414 section 3.1
 * inserts before the path, under the other prefix, and at the root for the tenant whose issuer is the bare origin.
 */
export function discoveryRoutes(
  app: FastifyInstance,
  { tenants, origin }: DiscoveryDependencies,
): void {
  const atOrigin = [...tenants.values()].find((tenant) => tenant.atOrigin)
  const metadata = (tenant: Tenant) => metadataOf(tenant, origin)
  const keys = ({ signer }: Tenant) => signer.jwks()
  const serve = (
    url: string,
    tenantOf: (slug: string) => Tenant | undefined,
    document: (tenant: Tenant) => object,
  ): void => {
    app.get<TenantParams>(url, (request, reply) => {
      const tenant = tenantOf(request.params.tenant)
      return publish(reply, tenant && document(tenant))
    })
    otherMethods(app, url, allowed, headers)
  }
  const named = (slug: string) => tenants.get(slug)
  for (const prefix of prefixes) {
    for (const name of documents) {
      serve(`${prefix}/.well-known/${name}`, named, metadata)
      serve(`/.well-known/${name}${prefix}`, named, metadata)
    }
    serve(`${prefix}/.well-known/jwks.json`, named, keys)
  }
  for (const name of documents) serve(`/.well-known/${name}`, () => atOrigin, metadata)
  serve('/.well-known/jwks.json', () => atOrigin, keys)
}

function publish(reply: FastifyReply, document: object | undefined): FastifyReply {
  reply.header('access-control-allow-origin', '*')
  if (document === undefined) return reply.code(404).send(unknownTenant)
  return reply.header('cache-control', 'public, max-age=300').send(document)
}

const unknownTenant = { error: 'invalid_tenant', error_description: 'There is no such tenant.' }
