import Type, { type Static } from 'typebox'

const text = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 255, description }))

/** A user, as far as tokens need them. */
export const userSchema = Type.Object(
  {
    sub: Type.String({
      pattern: '^[\\x21-\\x7e]{1,255}$',
      form: 'printable ASCII without spaces, 255 characters at most',
      description: 'Its `sub`: no client id and no agent may be the same.',
    }),
    email: text('Email address.'),
    emailVerified: Type.Boolean({ default: false, description: 'Whether that was verified.' }),
    name: text('Full name.'),
    givenName: text('Given name.'),
    familyName: text('Family name.'),
    picture: text('URL of a picture.'),
    roles: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      default: [],
      maxItems: 100,
      description: 'Names of its roles.',
    }),
  },
  { additionalProperties: false },
)

export type UserConfig = Readonly<Static<typeof userSchema>>
