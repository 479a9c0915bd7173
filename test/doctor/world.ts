import { authorityLink } from '../../src/doctor/authority.ts'
import { clockLink } from '../../src/doctor/clock.ts'
import { probe } from '../../src/doctor/probe.ts'
import { tlsLink } from '../../src/doctor/tls.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import type { World } from '../../src/doctor/world.ts'
import type { RemoteAuthorityConfig } from '../../src/config/config.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeFiles } from '../fakes/files.ts'

export const AUDIENCE = 'https://auth.example/t/acme-corp/api/v1'

/** Real sockets; files, names and time as a test has them. */
export function testWorld(changes: Partial<World> = {}): World & {
  readonly files: FakeFiles
  readonly clock: FakeClock
} {
  return {
    http: nodeHttpClient(systemClock, {}),
    isProxied: () => false,
    resolve: () => Promise.resolve(['192.0.2.1']),
    ownerOf: () => Promise.resolve(undefined),
    ...changes,
    files: (changes.files as FakeFiles | undefined) ?? new FakeFiles(),
    clock: (changes.clock as FakeClock | undefined) ?? new FakeClock(),
  }
}

/** An authority at this origin, as a configuration names it. */
export function remoteAt(
  origin: string,
  changes: Partial<RemoteAuthorityConfig> = {},
): RemoteAuthorityConfig {
  return {
    origin: new URL(origin),
    tokenUrl: new URL('/t/acme-corp/api/v1/oauth/token', origin),
    caFile: undefined,
    ca: undefined,
    connectTimeoutMs: 2_000,
    totalTimeoutMs: 5_000,
    ...changes,
  }
}

/** A finding as one line: its state, what is the matter, and what to do. */
export function lineOf(finding: Finding): string {
  const advice = finding.state === 'failed' ? `; ${finding.advice}` : ''
  return `${finding.state} ${finding.link}: ${finding.detail}${advice}`
}

/** The broker that asks. */
export const asking = { tenant: 'acme-corp', proofAudience: AUDIENCE }

export const DISCOVERY = '/t/acme-corp/api/v1/.well-known/openid-configuration'
/** What an authority answers there. */
export const document = JSON.stringify({ issuer: AUDIENCE })

/** The lines of the clock, DNS, TLS and the authority, in that order. */
export async function linesFor(
  remote: RemoteAuthorityConfig,
  world: World = testWorld({ clock: new FakeClock(Date.now()) }),
  asked = asking,
) {
  const reached = await probe(remote, world)
  return [
    clockLink(reached, world.clock),
    reached.dns,
    tlsLink(remote.tokenUrl, reached, world.isProxied(remote.tokenUrl)),
    authorityLink(asked, remote, reached),
  ].map(lineOf)
}
