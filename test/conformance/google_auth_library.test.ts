import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IdentityPoolClient, type IdentityPoolClientOptions } from 'google-auth-library'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { docs, JWT } from '../fakes/running_authority.ts'
import { servedAuthority, type ServedAuthority } from './served_authority.ts'

let served: ServedAuthority
let folder: string

beforeAll(async () => {
  served = await servedAuthority()
  folder = await mkdtemp(join(tmpdir(), 'external-account-'))
  await writeFile(join(folder, 'token'), await served.proof())
  await writeFile(join(folder, 'token.json'), JSON.stringify({ proof: await served.proof() }))
})

afterAll(async () => {
  await served.stop()
  await rm(folder, { recursive: true })
})

/** A credential configuration, as it lies beside an application. The library asks for its audience and its scopes. */
function credentialsOf(
  source: IdentityPoolClientOptions['credential_source'] = { file: join(folder, 'token') },
): IdentityPoolClientOptions {
  return {
    type: 'external_account',
    audience: docs,
    subject_token_type: JWT,
    token_url: `${served.issuer}/oauth/token`,
    credential_source: source,
  }
}

function clientOf(credentials: IdentityPoolClientOptions, scopes: string[]): IdentityPoolClient {
  const client = new IdentityPoolClient(credentials)
  client.scopes = scopes
  return client
}

describe('google-auth-library, external account', () => {
  const sources = {
    'a file': () => ({ file: join(folder, 'token') }),
    'a file of JSON': () => ({
      file: join(folder, 'token.json'),
      format: { type: 'json' as const, subject_token_field_name: 'proof' },
    }),
  }

  test.each(Object.entries(sources))(
    'a token for an agent by its proof in %s',
    async (_, source) => {
      const client = clientOf(credentialsOf(source()), ['read:documents'])
      const { token } = await client.getAccessToken()
      expect(await served.claimsOf(token ?? '', docs)).toMatchObject({
        sub: 'agent:doc-analyst',
        client_id: 'doc-analyst',
        scope: 'read:documents',
      })
      expect((await client.getRequestHeaders()).get('authorization')).toBe(`Bearer ${token ?? ''}`)
      // It is kept until shortly before its end, which it knows.
      expect((await client.getAccessToken()).token).toBe(token)
      expect(client.credentials.expiry_date).toBeTypeOf('number')
    },
  )

  test('its own default scope is none of ours, and is refused', async () => {
    const client = new IdentityPoolClient(credentialsOf())
    await expect(client.getAccessToken()).rejects.toThrow('Error code invalid_scope')
  })

  test('an audience that is no target of the agent is refused', async () => {
    const credentials = { ...credentialsOf(), audience: 'https://elsewhere.example' }
    await expect(clientOf(credentials, ['read:documents']).getAccessToken()).rejects.toThrow(
      'Error code invalid_target',
    )
  })
})
