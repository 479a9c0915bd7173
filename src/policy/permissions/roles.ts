import type { WrittenDocument } from '../../config/documents_in.ts'
import { DocumentFault, type Fault } from '../../config/document.ts'
import { parseEntries } from '../../config/entries.ts'
import type { UserConfig } from '../../config/user.ts'
import type { HeldPermission, PermissionEngine, Subject } from './engine.ts'
import { rolesSchema, type RoleEntry } from './schema.ts'

interface Role {
  readonly name: string
  readonly permissions: ReadonlySet<string>
}

const none: readonly Role[] = []

/** Permissions by roles: somebody has what one of their roles gives. The context of a question changes nothing. */
export class Roles implements PermissionEngine {
  /** Nobody may anything. */
  static readonly none = new Roles(new Map(), new Map())
  readonly #held: ReadonlyMap<string, readonly Role[]>
  readonly #descriptions: ReadonlyMap<string, string>

  constructor(
    held: ReadonlyMap<string, readonly Role[]>,
    descriptions: ReadonlyMap<string, string>,
  ) {
    this.#held = held
    this.#descriptions = descriptions
  }

  check(
    subject: Subject,
    permissions: readonly string[],
    _context?: unknown,
  ): Promise<readonly boolean[]> {
    const roles = this.#held.get(keyOf(subject)) ?? none
    return Promise.resolve(
      permissions.map((permission) => roles.some((role) => role.permissions.has(permission))),
    )
  }

  permissionsOf(subject: Subject): Promise<readonly HeldPermission[]> {
    const held = new Map<string, HeldPermission>()
    for (const { name, permissions } of this.#held.get(keyOf(subject)) ?? none) {
      for (const slug of permissions) {
        if (held.has(slug)) continue
        held.set(slug, { slug, description: this.#descriptions.get(slug), source: `role:${name}` })
      }
    }
    return Promise.resolve([...held.values()].toSorted((a, b) => (a.slug < b.slug ? -1 : 1)))
  }
}

/**
 * Compiles files of roles, merged. A role stands once, and so does what a permission means.
 * @throws DocumentFault with every fault of every file
 */
export function compileRoles(
  files: readonly WrittenDocument[],
  users: readonly Pick<UserConfig, 'sub' | 'roles'>[],
): Roles {
  const faults: Fault[] = []
  const entries: RoleEntry[] = []
  const descriptions = new Map<string, string>()
  const names = new Set<string>()
  for (const file of files) {
    const { path } = file
    const document = parsed(file, faults)
    document?.permissions.forEach(({ slug, description }, index) => {
      if (descriptions.has(slug)) {
        faults.push({
          path: `${path}: permissions[${String(index)}].slug`,
          message: 'this permission is described twice',
        })
      }
      descriptions.set(slug, description)
    })
    document?.roles.forEach((entry, index) => {
      if (names.has(entry.name)) {
        faults.push({
          path: `${path}: roles[${String(index)}].name`,
          message: 'another role has this name',
        })
      }
      names.add(entry.name)
      entries.push(entry)
    })
  }
  if (faults.length > 0) throw new DocumentFault(faults)
  return new Roles(heldBy(entries, users), descriptions)
}

function parsed(file: WrittenDocument, faults: Fault[]) {
  try {
    return parseEntries(file, rolesSchema, { list: 'roles', calledBy: 'name' })
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    faults.push(...error.faults)
    return undefined
  }
}

function heldBy(
  entries: readonly RoleEntry[],
  users: readonly Pick<UserConfig, 'sub' | 'roles'>[],
): ReadonlyMap<string, readonly Role[]> {
  const held = new Map<string, Role[]>()
  const give = (subject: Subject, role: Role): void => {
    const roles = held.get(keyOf(subject))
    if (!roles) held.set(keyOf(subject), [role])
    else if (!roles.includes(role)) roles.push(role)
  }
  const byName = new Map<string, Role>()
  for (const entry of entries) {
    const role = { name: entry.name, permissions: new Set(entry.permissions) }
    byName.set(role.name, role)
    for (const id of entry.users) give({ kind: 'user', id }, role)
    for (const id of entry.clients) give({ kind: 'client', id }, role)
    for (const id of entry.agents) give({ kind: 'agent', id }, role)
  }
  for (const { sub, roles } of users) {
    for (const name of roles) {
      const role = byName.get(name)
      if (role) give({ kind: 'user', id: sub }, role)
    }
  }
  return held
}

function keyOf({ kind, id }: Subject): string {
  return `${kind} ${id}`
}
