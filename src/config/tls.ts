import Type from 'typebox'

const path = (description: string) => Type.String({ minLength: 1, description })

export const tlsSchema = Type.Object(
  {
    certFile: path('PEM certificate chain; followed when it changes.'),
    keyFile: path('PEM private key; followed when it changes.'),
  },
  {
    additionalProperties: false,
    description: 'TLS of the listener. Absent: plain HTTP, on loopback only.',
  },
)

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}
