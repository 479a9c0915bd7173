import { Passwords } from '../../src/endpoint/sign_in/password.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { frontDoor, type FrontDoor } from '../fakes/front_door.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { client, docs, files, type Json } from '../fakes/running_authority.ts'
import { openClientApp, type ClientApp } from './client_app.ts'

export const PASSWORD = 'correct horse battery staple'
/** A scope may be any printable character but quotes and backslashes; this one would be a script. */
export const HOSTILE_SCOPE = '<script>document.title=1</script>'
/** The application, and one with a name as long as names can be. */
export const APP = 'reports-dashboard'
export const LONG_APP = `${'a.'.repeat(63)}z`

/** Somebody who can sign in. */
export interface Person {
  readonly email: string
  readonly sub: string
}

/** An authority under the origin that a browser sees, people, agents, and an application. */
export interface BrowserWorld {
  readonly origin: string
  /** Where the endpoints of the tenant lie, and what its issuer is. */
  readonly issuer: string
  readonly authority: Peopled
  readonly app: ClientApp
  /** The address that the application sends a person to. */
  readonly ask: (more?: Readonly<Record<string, string>>) => string
  /** Somebody whom no test has met yet. */
  readonly newPerson: (email?: string) => Promise<Person>
  readonly stop: () => Promise<void>
}

export interface WorldWish {
  /** Where a browser finds the authority. */
  readonly door?: FrontDoor
  /** More clients than the application. */
  readonly clients?: readonly Json[]
  readonly upstreams?: readonly Json[]
}

/** Starts all of it. */
export async function openWorld(wish: WorldWish = {}): Promise<BrowserWorld> {
  const { door, clients = [], upstreams = [] } = wish
  const entrance = door ?? (await frontDoor())
  const app = await openClientApp()
  const authority = await peopledAuthority({
    origin: entrance.origin,
    tenant: { clients: [...clientsOf(app), ...clients], upstreams },
  })
  entrance.leadTo(authority.port)
  const issuer = issuerAt(entrance)
  return {
    origin: entrance.origin,
    issuer,
    authority,
    app,
    ask: (more) => askAt(issuer, app, more),
    newPerson: personMaker(authority),
    stop: async () => {
      await authority.stop()
      await app.close()
      await entrance.close()
    },
  }
}

export function issuerAt({ origin }: Pick<FrontDoor, 'origin'>): string {
  return `${origin}/t/acme-corp/api/v1`
}

function clientsOf({ callback }: ClientApp) {
  return [APP, LONG_APP].map((id) =>
    client(id, {
      grantTypes: ['authorization_code', 'refresh_token'],
      redirectUris: [callback],
      grants: [
        { scopes: ['openid', 'email', 'read:documents', 'read:reports', HOSTILE_SCOPE] },
        { target: docs, scopes: ['read:documents', 'write:documents'] },
        { target: files, scopes: ['read:documents'] },
      ],
    }),
  )
}

function askAt(issuer: string, { callback }: ClientApp, more = {}): string {
  const query = new URLSearchParams({
    client_id: APP,
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid email read:documents',
    state: 'opaque',
    ...more,
  })
  return `${issuer}/oauth/authorize?${query.toString()}`
}

/** One hash serves everybody: to make one is dear. */
function personMaker({ withStore }: Peopled): BrowserWorld['newPerson'] {
  const hashed = new Passwords(systemRandom).hash(PASSWORD)
  let made = 0
  return async (email) => {
    made += 1
    const name = `person-${String(made)}`
    const person = { sub: `local:${name}`, email: email ?? `${name}@acme.example` }
    const password = await hashed
    await withStore((store) =>
      store.addLocalUser({ tenant: 'acme-corp', name, password, createdAt: 0, ...person }),
    )
    return person
  }
}
