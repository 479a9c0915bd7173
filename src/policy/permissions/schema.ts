import Type, { type Static } from 'typebox'
import { identifier } from '../../config/forms.ts'

const closed = { additionalProperties: false }

/** LumoAuth writes `document.view`; other forms are anybody's own, so little is asked of them. */
const permission = {
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:/*-]{0,127}$',
  form: 'letters, digits and `._:/*-`, 128 characters at most, with a letter or digit first',
}

const slug = (description: string) => Type.String({ ...permission, description })

const members = (what: string, description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 255, description: what }), {
    default: [],
    maxItems: 10_000,
    description,
  })

const role = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128, description: 'Its name.' }),
    permissions: Type.Array(slug('A permission.'), {
      default: [],
      maxItems: 10_000,
      uniqueItems: true,
      description: 'What it lets its members do.',
    }),
    users: members('A `sub`.', 'Users, beside those whose own `roles` name it.'),
    clients: Type.Array(Type.String({ ...identifier, description: 'A `client_id`.' }), {
      default: [],
      maxItems: 1_000,
      description: 'Registered clients.',
    }),
    agents: members('A name.', 'Agents of the trust policy.'),
  },
  closed,
)

/** A file of roles, as an operator writes it. */
export const rolesSchema = Type.Object(
  {
    permissions: Type.Array(
      Type.Object(
        {
          slug: slug('The permission.'),
          description: Type.String({ minLength: 1, maxLength: 500, description: 'For people.' }),
        },
        closed,
      ),
      { default: [], maxItems: 10_000, description: 'What permissions mean; none has to be here.' },
    ),
    roles: Type.Array(role, { default: [], maxItems: 1_000, description: 'Roles.' }),
  },
  { ...closed, description: 'Who may do what.' },
)

export type RoleEntry = Static<typeof role>
