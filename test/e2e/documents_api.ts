import { bundle } from './bundle.ts'
import type { Manifest } from './cluster.ts'
import { DEMO, scriptPod } from './pods.ts'

/** What it is called in tokens. */
export const AUDIENCE = 'https://docs.example.com'

interface ApiWish {
  readonly name: string
  /** Whose tokens it takes. */
  readonly issuer: string
  /** ConfigMap with the CA of that authority. */
  readonly ca: string
}

/** The API of `resource_server.ts` in a pod, behind a Service of its name. */
export async function documentsApi({ name, issuer, ca }: ApiWish): Promise<readonly Manifest[]> {
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: DEMO },
      data: { 'server.mjs': await bundle('resource_server.ts') },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: DEMO },
      spec: { selector: { app: name }, ports: [{ port: 8080 }] },
    },
    await scriptPod(name, {
      container: {
        command: ['node', '/srv/server.mjs'],
        env: [
          { name: 'ISSUER', value: issuer },
          { name: 'AUDIENCE', value: AUDIENCE },
          { name: 'NODE_EXTRA_CA_CERTS', value: '/ca/ca.crt' },
        ],
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        volumeMounts: [
          { name: 'code', mountPath: '/srv', readOnly: true },
          { name: 'ca', mountPath: '/ca', readOnly: true },
        ],
      },
      volumes: [
        { name: 'code', configMap: { name } },
        { name: 'ca', configMap: { name: ca } },
      ],
    }),
  ]
}
