import { freePorts } from '../fakes/ports.ts'
import { startGateway, type Gateway, type GatewayName } from './documented.ts'
import { untilAccepts } from './program.ts'

export interface IngressWish {
  readonly appPort: number
  readonly brokerPort: number
  /**
   * Whether it asks the broker before it lets a request in, which it never should: as somebody does who sets no header, or as
   * a gateway for the way out.
   */
  readonly asks?: 'without the header' | 'with the header'
}

const configs = { nginx: nginxConfig, envoy: envoyConfig } as const

/** Starts what lets requests from outside in to the application of a pod. */
export async function startIngress(name: GatewayName, wish: IngressWish): Promise<Gateway> {
  const port = await freePorts([0])
  const running = await startGateway[name](configs[name](port, wish))
  await untilAccepts(port)
  return { ...running, port }
}

function nginxConfig(port: number, { appPort, brokerPort, asks }: IngressWish): string {
  const header = asks === 'with the header' ? 'proxy_set_header Lumo-Broker true;' : ''
  return `events {}
http {
  server {
    listen 127.0.0.1:${String(port)};
    location / {
      ${asks === undefined ? '' : 'auth_request /ask;'}
      proxy_set_header Host $http_host;
      proxy_pass http://127.0.0.1:${String(appPort)};
    }
    location = /ask {
      internal;
      ${header}
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass http://127.0.0.1:${String(brokerPort)}/v1/authorization/docs;
    }
  }
}`
}

/** Of its own making: JSON is YAML. */
function envoyConfig(port: number, { appPort, brokerPort, asks }: IngressWish): string {
  const extensions = 'type.googleapis.com/envoy.extensions.filters'
  const headers = [{ key: 'lumo-broker', value: 'true' }]
  const authorization = {
    name: 'envoy.filters.http.ext_authz',
    typed_config: {
      '@type': `${extensions}.http.ext_authz.v3.ExtAuthz`,
      transport_api_version: 'V3',
      http_service: {
        server_uri: { uri: 'http://broker', cluster: 'broker', timeout: '10s' },
        path_prefix: '/v1/authorization/docs/',
        ...(asks === 'with the header' && {
          authorization_request: { headers_to_add: headers },
        }),
      },
    },
  }
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${extensions}.http.router.v3.Router` },
  }
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'app' } }]
  const manager = {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${extensions}.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'in',
      delayed_close_timeout: '0s',
      route_config: { virtual_hosts: [{ name: 'app', domains: ['*'], routes }] },
      http_filters: [...(asks === undefined ? [] : [authorization]), router],
    },
  }
  return JSON.stringify({
    static_resources: {
      listeners: [{ name: 'in', address: at(port), filter_chains: [{ filters: [manager] }] }],
      clusters: [clusterOf('app', appPort), clusterOf('broker', brokerPort)],
    },
  })
}

function at(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

function clusterOf(name: string, port: number): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }]
  return { name, type: 'STATIC', load_assignment: { cluster_name: name, endpoints } }
}
