import Type, { type Static } from 'typebox'
import { parseScope } from '../oauth/scope.ts'
import { isAudience, isResource } from '../oauth/target.ts'
import type { SinkConfig } from './config.ts'
import type { ReportFault } from './document.ts'
import { absoluteFile } from './forms.ts'

const texts = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
    default: [],
    maxItems: 5,
    description,
  })

export const sinkSchema = Type.Object(
  {
    file: Type.String({
      ...absoluteFile,
      maxLength: 512,
      description: 'The file, in a folder that is there, such as that of an emptyDir in memory.',
    }),
    audience: texts('As the parameters of /v1/token.'),
    resource: texts('As the parameters of /v1/token.'),
    scope: Type.Optional(Type.String({ minLength: 1, maxLength: 2_048, description: 'The same.' })),
    agent: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'The same.' })),
    format: Type.Enum(['token', 'header', 'json'], {
      default: 'token',
      description:
        'token: the token and nothing else. header: as an Authorization header. json: with its scope and expires_at.',
    }),
    mode: Type.String({
      default: '0600',
      pattern: '^0[0-7]{3}$',
      form: "four octal digits in quotes, such as '0640'",
      description: 'Mode of the file, in octal.',
    }),
    group: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 4_294_967_294, description: 'Group id of the file.' }),
    ),
  },
  { additionalProperties: false, description: 'A token that is kept in a file.' },
)

/** The cross rules of `broker.sinks`. */
export function resolveSinks(
  entries: readonly Static<typeof sinkSchema>[],
  fault: ReportFault,
): readonly SinkConfig[] {
  return entries.map((entry, index) => {
    const path = `broker.sinks[${String(index)}]`
    const mode = Number.parseInt(entry.mode, 8)
    if ((mode & 0o400) === 0 || (mode & 0o137) !== 0) {
      fault(
        `${path}.mode`,
        'must let the owner read, the group no more than that, and others nothing: 0600, 0640 or 0440',
      )
    }
    const scope = entry.scope === undefined ? undefined : parseScope(entry.scope)
    if (entry.scope !== undefined && !scope) fault(`${path}.scope`, 'is not well-formed')
    if (!entry.audience.every(isAudience)) fault(`${path}.audience`, 'is not well-formed')
    if (!entry.resource.every(isResource)) fault(`${path}.resource`, 'is no absolute URI')
    return {
      file: entry.file,
      format: entry.format,
      mode,
      group: entry.group,
      audiences: entry.audience,
      resources: entry.resource,
      scope,
      agent: entry.agent,
    }
  })
}
