/** What the API server would ask about a labelled pod of this size. */
export interface Review {
  readonly name: string
  readonly body: Buffer
  /** How often it is asked in a round. */
  readonly times: number
}

const VARIABLES = 100

export const reviews: readonly Review[] = [
  review('small pod', { containers: 1, variables: 2, times: 500 }),
  review('pod of 250 KB', { containers: 10, variables: VARIABLES, times: 200 }),
  review('pod of 1.5 MB', { containers: 60, variables: VARIABLES, times: 60 }),
]

function review(
  name: string,
  shape: { readonly containers: number; readonly variables: number; readonly times: number },
): Review {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'bench-',
      namespace: 'bench',
      labels: { app: 'bench', 'lumoauth.dev/inject': 'true' },
      annotations: { 'lumoauth.dev/audience': 'https://docs.example.com' },
    },
    spec: {
      serviceAccountName: 'bench',
      containers: Array.from({ length: shape.containers }, (_, index) =>
        container(index, shape.variables),
      ),
    },
  }
  const body = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'bench',
      operation: 'CREATE',
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
      object,
      oldObject: null,
      dryRun: false,
    },
  }
  return { name, body: Buffer.from(JSON.stringify(body)), times: shape.times }
}

function container(index: number, variables: number) {
  return {
    name: `container-${String(index)}`,
    image: 'registry.example.com/team/application:1.2.3',
    ports: [{ containerPort: 20_000 + index, protocol: 'TCP' }],
    env: Array.from({ length: variables }, (_, at) => ({
      name: `SETTING_${String(at)}`,
      valueFrom: {
        configMapKeyRef: {
          name: `settings-of-the-application-${String(index)}`,
          key: `a-key-with-a-name-as-people-write-them-${String(at)}`,
          optional: false,
        },
      },
    })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    terminationMessagePath: '/dev/termination-log',
    imagePullPolicy: 'IfNotPresent',
  }
}
