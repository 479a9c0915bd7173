import { frontDoor } from '../fakes/front_door.ts'
import { issuerAt, openWorld, type BrowserWorld } from './world.ts'

/** What the authority is called at the one that signs its people in. */
export const GUEST_CLIENT = 'acme-broker'

/** An authority whose people sign in at another one. */
export interface TwoAuthorities {
  /** That of the application. */
  readonly own: BrowserWorld
  /** Where people sign in. */
  readonly upstream: BrowserWorld
  readonly stop: () => Promise<void>
}

/** Starts both, at two sites: a browser does not take `localhost` for 127.0.0.1, and gives the cookies of the one not to the other. */
export async function openTwoAuthorities(): Promise<TwoAuthorities> {
  const ownDoor = await frontDoor()
  const inner = await frontDoor()
  const upstreamDoor = { ...inner, origin: inner.origin.replace('127.0.0.1', 'localhost') }
  const upstream = await openWorld({
    door: upstreamDoor,
    clients: [
      {
        id: GUEST_CLIENT,
        methods: ['none'],
        grantTypes: ['authorization_code'],
        redirectUris: [`${issuerAt(ownDoor)}/oauth/login/callback/staff`],
        grants: [{ scopes: ['openid', 'email', 'profile'] }],
      },
    ],
  })
  const own = await openWorld({
    door: ownDoor,
    upstreams: [
      {
        name: 'staff',
        label: 'Acme staff',
        issuer: upstream.issuer,
        clientId: GUEST_CLIENT,
        users: 'anyone',
      },
    ],
  })
  return {
    own,
    upstream,
    stop: async () => {
      await own.stop()
      await upstream.stop()
    },
  }
}
