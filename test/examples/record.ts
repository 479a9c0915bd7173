import type { ExamplesWorld } from './examples_world.ts'

interface Row {
  readonly event: string
  readonly client_id?: string
  readonly subject?: string
  readonly audience?: readonly string[]
  readonly actor_chain?: readonly string[]
}

/** What the audit trail has of tokens by which agents act for somebody: the event, for whom the token is, and who acted. */
export async function recordOf(sub: string, world: ExamplesWorld) {
  const lines = (await world.operate('audit', 'tail', '--count', '100')).trim().split('\n')
  return lines
    .map((line) => JSON.parse(line) as Row)
    .filter(({ event, subject, client_id: client }) => {
      return event.startsWith('token.') && subject === sub && client !== 'notebook'
    })
    .map((row) => [row.event, row.audience?.join(), row.actor_chain])
}
