import type { Answers } from '../answers.ts'
import { BrokerError } from '../errors.ts'
import type { OpenHandler } from './drop_in.ts'

/** Every place where clients look for what an issuer is. What they would find there leads past the broker, so each is told what to do. */
export const discoveryPaths = [
  '/.well-known/*',
  ...['/t/:tenant', '/orgs/:tenant'].flatMap((prefix) => [
    `${prefix}/.well-known/*`,
    `${prefix}/api/v1/.well-known/*`,
  ]),
] as const

export function discoveryRoute({ answers }: { readonly answers: Answers }): OpenHandler {
  return (_request, reply) =>
    answers.refuse(reply, 'discovery', new BrokerError('discovery_elsewhere'))
}
