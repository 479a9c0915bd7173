import { describe, expect, test } from 'vitest'
import { template, type Values } from './chart.ts'

type Amounts = Readonly<Record<string, string | number>>

const resourcesOf = (component: string, requests: Amounts, limits: Amounts): Values => ({
  [component]: { resources: { requests, limits } },
})

describe('too little memory for brokers:', () => {
  test.each(['32Mi', 0, '0', '63999Ki', '67108863', '64M', 1000, '60000000000m', '6e7'])(
    '%s',
    (memory) => {
      const { ok, text } = template(resourcesOf('sidecar', {}, { memory }))
      expect(ok).toBe(false)
      expect(text).toContain(
        `sidecar.resources.limits.memory is ${String(memory)}: with less than 64Mi`,
      )
    },
  )

  test.each(['64Mi', 67_108_864, '67108864', '0.1Gi', '7e7', '1E'])('enough: %s', (memory) => {
    expect(template(resourcesOf('sidecar', {}, { memory }))).toMatchObject({ ok: true })
  })
})

test.each(['authority', 'webhook', 'node'])('too little memory for the %s', (component) => {
  const { text } = template(resourcesOf(component, { memory: 0 }, { memory: '10Mi' }))
  expect(text).toContain(`${component}.resources.limits.memory is 10Mi: with less than 96Mi`)
})

describe('a request over its limit:', () => {
  test.each([
    ['sidecar', 'memory', '256Mi', '128Mi'],
    ['authority', 'cpu', '1500m', 1],
    ['webhook', 'memory', '1Gi', '1G'],
    ['authority', 'cpu', '20m', 0],
    ['node', 'ephemeral-storage', '2Ki', '2k'],
  ] as const)('%s %s %s', (component, what, request, limit) => {
    const { ok, text } = template(resourcesOf(component, { [what]: request }, { [what]: limit }))
    expect(ok).toBe(false)
    expect(text).toContain(
      `${component}.resources.requests.${what} is ${request}, and its limit is ${String(limit)}`,
    )
    expect(text).toContain(`Raise limits.${what}, or lower the request`)
  })

  test.each([
    ['memory', '128Mi', '128Mi'],
    ['cpu', '1000m', 1],
    ['memory', '1G', '1Gi'],
  ] as const)('not over it: %s %s of %s', (what, request, limit) => {
    const values = resourcesOf('sidecar', { [what]: request }, { [what]: limit })
    expect(template(values)).toMatchObject({ ok: true })
  })
})
