import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentedPods, type DocumentedPods } from '../fakes/documented_pods.ts'
import { prepare, runBlock } from './block_runner.ts'
import { readPage } from './pages.ts'

const page = await readPage('docs/apis.md')
const shown = page.blocks.find(({ mark }) => mark === 'run')

let pods: DocumentedPods

beforeAll(async () => {
  pods = await documentedPods([])
  await prepare(pods.folder)
})

afterAll(() => pods.stop())

/** What the code of the page makes of a token that a program beside it gets for this API. */
function checked(audience: string, changed = 'token'): Promise<string> {
  const driver = `
const url = 'http://127.0.0.1:9180/v1/token?audience=${audience}'
const answer = await fetch(url, { headers: { 'Lumo-Broker': 'true' } })
const { access_token: token } = await answer.json()
console.log(await whoAsks('Bearer ' + ${changed}).catch((error) => error.code))`
  const text = pods.onThisMachine((shown?.text ?? '') + driver)
  return runBlock(
    { language: 'js', text },
    `api_${audience.length}_${changed.length}`,
    pods.folder,
    pods.environment,
  )
}

test('the code of the page knows who asks, and with which scopes', async () => {
  expect(await checked('https://docs.example.com')).toContain("sub: 'agent:")
  expect(await checked('https://docs.example.com')).toContain("'read:documents'")
})

test('it refuses a token for another API, and one that was changed', async () => {
  expect(await checked('https://files.example.com')).toBe('ERR_JWT_CLAIM_VALIDATION_FAILED\n')
  expect(await checked('https://docs.example.com', "token.replace(/.{9}$/, 'AAAAAAAAA')")).toBe(
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED\n',
  )
})
