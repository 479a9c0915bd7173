import { StoreFault } from '../store.ts'
import type { Connection } from './connection.ts'

/** Until version 2 the program left `user_version` at 0, so a file may already have what version 1 makes. */
const VERSION_1 = `
  CREATE TABLE IF NOT EXISTS signing_keys_1 (
    tenant TEXT NOT NULL,
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, kid)
  ) STRICT;`

/**
 * Every key so far has signed since it was made.
 *
 * The number of an audit row is the order in which rows were appended, over all segments. Rows name their segment by its
 * number, for its name in every row and index entry would be a good part of what is written for each token. A number is
 * never given twice (AUTOINCREMENT): a process that is about to drop a segment must not meet a new one under it.
 */
const VERSION_2 = `
  CREATE TABLE signing_keys (
    tenant TEXT NOT NULL,
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (tenant, kid)
  ) STRICT;
  INSERT INTO signing_keys
    SELECT tenant, kid, algorithm, sealed_private_key, created_at, created_at, NULL
    FROM signing_keys_1;
  DROP TABLE signing_keys_1;

  CREATE TABLE clients (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    registration TEXT NOT NULL,
    newest_secret_hash BLOB,
    older_secret_hash BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
  ) STRICT;

  CREATE TABLE codes (
    tenant TEXT NOT NULL,
    hash BLOB NOT NULL,
    grant_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    granted TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    consumed INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX codes_by_end ON codes (expires_at);

  CREATE TABLE refresh_families (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    sub TEXT NOT NULL,
    granted TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    current_hash BLOB NOT NULL,
    previous_hash BLOB,
    rotated_at TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refresh_families_by_end ON refresh_families (expires_at);

  CREATE TABLE revocations (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, value)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX revocations_by_end ON revocations (expires_at);

  CREATE TABLE reservations (
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    jti TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, owner, jti)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reservations_by_end ON reservations (expires_at);

  CREATE TABLE approvals (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    agent TEXT NOT NULL,
    id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, user, agent)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX approvals_by_end ON approvals (expires_at);

  CREATE TABLE user_grants (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    agent TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, user, agent)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE disabled_users (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    PRIMARY KEY (tenant, user)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit_segments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    segment TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE audit_rows (
    number INTEGER PRIMARY KEY,
    segment_number INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (segment_number, sequence)
  ) STRICT;
  CREATE INDEX audit_rows_by_tenant ON audit_rows (tenant);

  CREATE TABLE audit_heads (
    number INTEGER PRIMARY KEY,
    segment TEXT NOT NULL UNIQUE,
    rows INTEGER NOT NULL,
    hash BLOB NOT NULL,
    closed_at INTEGER NOT NULL,
    signature BLOB NOT NULL
  ) STRICT;`

/** With row ids, as sets may be hundreds of kilobytes long. */
const VERSION_3 = `
  CREATE TABLE key_sets (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    fetched_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT;`

/** Addresses are kept in small letters, so that equal ones are equal here. */
const VERSION_4 = `
  CREATE TABLE local_users (
    tenant TEXT NOT NULL,
    sub TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT,
    password TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, sub),
    UNIQUE (tenant, email)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE sessions (
    tenant TEXT NOT NULL,
    hash BLOB NOT NULL,
    user TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_end ON sessions (expires_at);
  CREATE INDEX sessions_by_user ON sessions (tenant, user);

  CREATE TABLE consents (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    client TEXT NOT NULL,
    scopes TEXT NOT NULL,
    targets TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, user, client)
  ) STRICT, WITHOUT ROWID;`

/** Consents before this did not say which scope was agreed to at which target: people are asked again. */
const VERSION_5 = `
  ALTER TABLE sessions ADD COLUMN request BLOB;

  ALTER TABLE codes ADD COLUMN sub TEXT NOT NULL DEFAULT '';
  CREATE INDEX codes_by_user ON codes (tenant, sub, client_id);

  ALTER TABLE approvals ADD COLUMN chain TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE approvals ADD COLUMN status TEXT NOT NULL DEFAULT 'pending';
  CREATE UNIQUE INDEX approvals_by_id ON approvals (tenant, id);
  CREATE INDEX approvals_pending ON approvals (tenant, expires_at) WHERE status = 'pending';

  DROP TABLE consents;
  CREATE TABLE consents (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    client TEXT NOT NULL,
    given TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, user, client)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE upstream_users (
    tenant TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    sub TEXT NOT NULL,
    email TEXT,
    email_verified INTEGER NOT NULL,
    name TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, issuer, subject)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX upstream_users_by_sub ON upstream_users (tenant, sub);

  CREATE TABLE upstream_visits (
    tenant TEXT NOT NULL,
    hash BLOB NOT NULL,
    upstream TEXT NOT NULL,
    browser BLOB NOT NULL,
    next TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX upstream_visits_by_end ON upstream_visits (expires_at);

  CREATE TABLE pushed_requests (
    tenant TEXT NOT NULL,
    hash BLOB NOT NULL,
    client_id TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX pushed_requests_by_end ON pushed_requests (expires_at);

  CREATE TABLE api_keys (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    hash BLOB NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (tenant, id)
  ) STRICT, WITHOUT ROWID;`

/** Each leads from the version of its place to the next one. One that was released is never changed. */
const migrations: readonly string[] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5]

/**
 * Brings a file to the schema that this program knows, one version after another, each whole or not at all.
 * @throws StoreFault when the file is a newer program's
 */
export function migrate(connection: Connection, file: string): void {
  for (const [version, sql] of migrations.entries()) {
    if (versionOf(connection) > version) continue
    connection.transaction(() => {
      // Another process may have done it, and more, while this one waited for the lock.
      if (versionOf(connection) > version) return
      connection.execute(sql)
      connection.execute(`PRAGMA user_version = ${String(version + 1)}`)
    })
  }
  refuseNewer(connection, file)
  // Statements are compiled by the schema as this connection last read it, and only running one shows that another process
  // has changed it meanwhile.
  connection.prepare('SELECT count(*) FROM sqlite_schema').get()
}

/**
 * What a newer program has written, this one would misread, or write without what the newer one counts on.
 * @throws StoreFault
 */
export function refuseNewer(connection: Connection, file: string): void {
  const version = versionOf(connection)
  if (version <= migrations.length) return
  throw new StoreFault(
    `the store ${file} was written by a newer version of this program ` +
      `(schema ${String(version)}, this program knows ${String(migrations.length)})`,
  )
}

function versionOf(connection: Connection): number {
  const pragma = connection.prepare<{ readonly user_version: number }>('PRAGMA user_version')
  return pragma.get()?.user_version ?? 0
}
