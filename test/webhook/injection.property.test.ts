import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { admit } from '../../src/webhook/admit.ts'
import { podReader } from '../../src/webhook/pod.ts'
import { InjectionRefusal } from '../../src/webhook/refusal.ts'
import { caBundle, injection, patched, podWith } from './reviews.ts'

const readPod = podReader()

const names = ['app', 'web', 'migrate', 'istio-proxy', 'log']
const env = fc.option(
  fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('LUMOAUTH_URL', 'HTTPS_PROXY', 'NO_PROXY', 'no_proxy', 'OTHER'),
      value: fc.constantFrom('', 'a', 'http://proxy:3128', '127.0.0.1'),
    }),
    { maxLength: 3, selector: ({ name }) => name },
  ),
  { nil: undefined },
)
const containerOf = (name: string) =>
  fc
    .record({ name: fc.constant(name), env })
    .map((made) => JSON.parse(JSON.stringify(made)) as object)
const pods = fc
  .tuple(fc.shuffledSubarray(names, { minLength: 1 }), fc.nat(), fc.constantFrom('sidecar', 'node'))
  .chain(([used, cut, mode]) => {
    const init = used.slice(0, cut % used.length)
    const main = used.slice(init.length)
    return fc.record({
      mode: fc.constant(mode),
      chosen: fc.constantFrom(...main),
      init: fc.tuple(...init.map(containerOf)),
      main: fc.tuple(...main.map(containerOf)),
    })
  })

interface Made {
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly env?: readonly Variable[] }[]
    readonly initContainers?: readonly { readonly name: string }[]
  }
}

interface Variable {
  readonly name: string
  readonly value?: string
}

const world = {
  injection,
  trusted: () => ({ caBundle, brokerCa: caBundle }),
  drawSecret: () => 's'.repeat(43),
}

function admitted(object: unknown): unknown {
  const pod = readPod(object)
  if (!pod) throw new Error('no pod')
  const { outcome } = admit(pod, world)
  if (outcome instanceof InjectionRefusal) throw new Error(outcome.message)
  return patched(object, outcome)
}

test('whatever the pod: what was not chosen stays, what was set stays, and the second time changes nothing', () => {
  fc.assert(
    fc.property(pods, ({ mode, chosen, init, main }) => {
      const annotations = { 'lumoauth.dev/containers': chosen, 'lumoauth.dev/mode': mode }
      const spec = init.length > 0 ? { initContainers: init } : {}
      const before = podWith({ annotations, containers: main as never, spec }) as unknown as Made
      const after = admitted(before) as Made
      for (const container of before.spec.containers) {
        const made = after.spec.containers.find(({ name }) => name === container.name)
        if (container.name !== chosen) expect(made).toEqual(container)
        for (const { name, value } of container.env ?? []) {
          const kept = made?.env?.find((one) => one.name === name)?.value
          // The one exception is what a proxy would get of the loopback.
          if (/^no_proxy$/i.test(name)) expect(kept?.startsWith(value ?? '')).toBe(true)
          else expect(kept).toBe(container.env?.find((one) => one.name === name)?.value)
        }
      }
      const others = (after.spec.initContainers ?? []).filter(({ name }) => name !== 'lumo-broker')
      expect(others).toEqual(init)
      expect(admitted(after)).toEqual(after)
    }),
    { numRuns: 300 },
  )
})
