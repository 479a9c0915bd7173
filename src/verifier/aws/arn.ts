/** Who a caller is by its ARN. */
export interface Principal {
  readonly partition: string
  readonly account: string
  /**
   * Canonical: `arn:PARTITION:iam::ACCOUNT:role/NAME` or `arn:PARTITION:iam::ACCOUNT:user/PATH/NAME`. Absent: the caller
   * is of another kind.
   */
  readonly arn: string | undefined
  /** Of a role: the name of its session, which mostly the caller chose. Never part of an identity. */
  readonly session: string | undefined
}

const NAME = String.raw`[\w+=,.@-]{1,64}`
const GENERAL =
  /^arn:(?<partition>[a-z-]{3,16}):(?<service>[a-z]{3})::(?<account>\d{12}):(?<resource>[!-~]{1,1024})$/
const ASSUMED_ROLE = new RegExp(
  String.raw`^assumed-role/(?<name>${NAME})/(?<session>[\w+=,.@-]{2,64})$`,
)
const USER = new RegExp(`^user/(?:${NAME}/)*${NAME}$`)

/**
 * Reads what STS says of a caller; `not_an_arn` when it is none of 12 digits. The ARN of a session lacks the path of its
 * role, which loses nothing: names of roles are unique in their account whatever the path. Root, federated users and
 * whatever AWS adds later are no workloads.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
export function parseCallerArn(arn: string): Principal | 'not_an_arn' {
  const { partition, service, account, resource = '' } = GENERAL.exec(arn)?.groups ?? {}
  if (partition === undefined || account === undefined) return 'not_an_arn'
  const { name, session } = ASSUMED_ROLE.exec(resource)?.groups ?? {}
  const prefix = `arn:${partition}:iam::${account}`
  if (service === 'sts' && name !== undefined) {
    return { partition, account, arn: `${prefix}:role/${name}`, session }
  }
  const user = service === 'iam' && USER.test(resource) ? `${prefix}:${resource}` : undefined
  return { partition, account, arn: user, session: undefined }
}
