-- schema.sql: the case database. Tables are t_*; the views without a prefix (views.sql) are what people query, stable
-- from schema version 1 on. Record tables rec_<plugin>[_<type>] are made from the plugins' descriptions.
PRAGMA application_id = 0x6b76616c; -- "kval"
PRAGMA user_version = 4;

CREATE TABLE t_case (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE t_exhibit (
  id           INTEGER PRIMARY KEY,
  label        TEXT NOT NULL UNIQUE,   -- the investigator's number
  path         TEXT NOT NULL,          -- as it was added, absolute
  type_wanted  TEXT NOT NULL,
  added        INTEGER NOT NULL,       -- ns UTC
  name         TEXT,                   -- from here on: as the image opened
  type         TEXT,
  size         INTEGER,
  sector_size  INTEGER,
  segments     INTEGER,
  details      TEXT,
  unsupported  TEXT,
  damage       TEXT,
  failed       TEXT,                   -- why the last run could not open it, NULL when it could
  md5 TEXT, sha1 TEXT, sha256 TEXT,    -- of the image as read
  unread       INTEGER,                -- bytes for which zeros stand in these
  verification TEXT,                   -- match, mismatch, nothing-stored, partial
  verified_at  INTEGER
) STRICT;

CREATE TABLE t_image_hash (
  exhibit   INTEGER NOT NULL REFERENCES t_exhibit(id),
  algorithm TEXT NOT NULL,
  hex       TEXT NOT NULL,
  source    TEXT NOT NULL,
  result    TEXT NOT NULL DEFAULT 'not-compared', -- match, mismatch
  PRIMARY KEY (exhibit, algorithm, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_run (
  id              INTEGER PRIMARY KEY,
  started         INTEGER NOT NULL,
  ended           INTEGER,
  status          TEXT NOT NULL,       -- running, done, listed, interrupted, failed, killed
  settings        TEXT NOT NULL,
  settings_sha256 TEXT NOT NULL,
  versions        TEXT NOT NULL,
  host            TEXT NOT NULL,
  sandbox         TEXT,
  pass            INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE t_run_loaded (
  run     INTEGER NOT NULL REFERENCES t_run(id),
  plugin  TEXT NOT NULL,
  kind    TEXT NOT NULL,
  name    TEXT NOT NULL,
  sha256  TEXT NOT NULL,
  count   INTEGER NOT NULL,
  problem TEXT
) STRICT;
CREATE INDEX i_run_loaded ON t_run_loaded(run);

-- One try of one worker at one stream, or at one expand task. Status as enum attempt_end, in words; 'open' while it
-- lasts, 'void' while it lasts and what it stands on was taken away; 'replaced' once it was chosen and is not any more.
CREATE TABLE t_attempt (
  id     INTEGER PRIMARY KEY,
  run    INTEGER NOT NULL,
  stream INTEGER,
  expand INTEGER,
  worker INTEGER NOT NULL,
  status TEXT NOT NULL,
  pass   INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX i_attempt_open ON t_attempt(status) WHERE status IN ('open', 'void');

CREATE TABLE t_volume (
  id          INTEGER PRIMARY KEY,
  exhibit     INTEGER NOT NULL REFERENCES t_exhibit(id),
  key         TEXT NOT NULL,
  parent      TEXT NOT NULL,
  partition_table TEXT NOT NULL,
  type        TEXT NOT NULL,
  label       TEXT NOT NULL,
  offset      INTEGER NOT NULL,
  size        INTEGER NOT NULL,
  filesystem  TEXT NOT NULL,
  content     TEXT NOT NULL,
  block_size  INTEGER NOT NULL,
  block_count INTEGER NOT NULL,
  fs_size     INTEGER NOT NULL,
  serial      TEXT NOT NULL,
  time_note   TEXT NOT NULL,
  expand      TEXT NOT NULL,
  raw         TEXT NOT NULL,
  use         INTEGER NOT NULL,        -- 0 allocated, 1 gap, 2 partition table
  found       INTEGER NOT NULL,        -- attempt
  UNIQUE (exhibit, key)
) STRICT;

CREATE TABLE t_expand (
  id      INTEGER PRIMARY KEY,
  exhibit INTEGER NOT NULL REFERENCES t_exhibit(id),
  locator TEXT NOT NULL,
  volume  TEXT NOT NULL,
  root    TEXT NOT NULL DEFAULT '',    -- what addresses of what is found begin with; '': the exhibit's name
  status  INTEGER NOT NULL DEFAULT 0,  -- 0 pending, 1 done, 2 partial, 3 failed, 4 void (names.h)
  attempt INTEGER,                     -- the chosen one
  skip    TEXT NOT NULL DEFAULT '',    -- "at:kind at:kind"
  tries   INTEGER NOT NULL DEFAULT 0,
  lost    INTEGER NOT NULL DEFAULT 0,
  found   INTEGER,                     -- the attempt whose volume named it
  UNIQUE (exhibit, locator)
) STRICT;

-- A run of bytes with an address. Its `path` is the first name that led to it.
CREATE TABLE t_stream (
  id        INTEGER PRIMARY KEY,
  exhibit   INTEGER NOT NULL REFERENCES t_exhibit(id),
  locator   TEXT NOT NULL,             -- child streams: "child/<path>"
  path      TEXT NOT NULL,
  extension TEXT NOT NULL,
  kind      INTEGER NOT NULL,
  deleted   INTEGER NOT NULL,
  size      INTEGER NOT NULL,
  disk      INTEGER NOT NULL,          -- image offset of the first byte, for the order of reading
  status    INTEGER NOT NULL DEFAULT 0,
  attempt   INTEGER,
  read      INTEGER NOT NULL DEFAULT 0,
  unread    INTEGER NOT NULL DEFAULT 0,
  uniform   INTEGER,                   -- every byte has this value: read, and not scanned
  slack     INTEGER NOT NULL DEFAULT 0,-- bytes between the content's end and the end of its blocks
  slack_uniform INTEGER NOT NULL DEFAULT 0, -- 1: one repeated byte, not scanned; 0: a child of kind slack
  without   TEXT NOT NULL DEFAULT '',
  tries     INTEGER NOT NULL DEFAULT 0,
  lost      INTEGER NOT NULL DEFAULT 0,
  parent    INTEGER,
  plugin    TEXT,                      -- child streams: who made it
  child_offset INTEGER,
  name      BLOB,                      -- child streams: raw name
  runs      TEXT,                      -- JSON [[offset or null, bytes], ...], in the image, or in the medium inside of it that
                                       -- the locator's steps lead to
  runs_cut  INTEGER NOT NULL DEFAULT 0,
  found     INTEGER NOT NULL,
  UNIQUE (exhibit, locator)
) STRICT;
-- What is still to do, and no more: queue.c asks in these words.
CREATE INDEX i_stream_image ON t_stream(exhibit, id) WHERE status = 0 AND parent IS NULL AND kind = 0;
CREATE INDEX i_stream_pending ON t_stream(exhibit, disk, id) WHERE status = 0 AND parent IS NULL AND kind <> 0;
CREATE INDEX i_stream_parent ON t_stream(parent) WHERE parent IS NOT NULL;

-- What each part of the medium consists of, in bytes (found.h: enum account_kind).
CREATE TABLE t_account (
  exhibit INTEGER NOT NULL REFERENCES t_exhibit(id),
  volume  TEXT NOT NULL,               -- key
  what    INTEGER NOT NULL,
  bytes   INTEGER NOT NULL,
  found   INTEGER NOT NULL,
  PRIMARY KEY (exhibit, volume, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_entry (
  id           INTEGER PRIMARY KEY,
  exhibit      INTEGER NOT NULL REFERENCES t_exhibit(id),
  path         TEXT NOT NULL,
  name         BLOB NOT NULL,
  volume       TEXT NOT NULL,
  type         INTEGER NOT NULL,
  kind         INTEGER NOT NULL,
  flags        INTEGER NOT NULL,
  inode        INTEGER NOT NULL,
  sequence     INTEGER NOT NULL,
  parent_inode INTEGER NOT NULL,
  size         INTEGER NOT NULL,
  allocated    INTEGER NOT NULL,
  mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, links INTEGER NOT NULL,
  modified INTEGER, accessed INTEGER, changed INTEGER, born INTEGER, removed INTEGER,
  name_modified INTEGER, name_accessed INTEGER, name_changed INTEGER, name_born INTEGER,
  raw_times    TEXT NOT NULL,
  target       TEXT NOT NULL,
  attribute    TEXT NOT NULL,
  stream       INTEGER,
  found        INTEGER NOT NULL,
  UNIQUE (exhibit, path)
) STRICT;
CREATE INDEX i_entry_stream ON t_entry(stream) WHERE stream IS NOT NULL;

CREATE TABLE t_fault (
  id      INTEGER PRIMARY KEY,
  exhibit INTEGER NOT NULL REFERENCES t_exhibit(id),
  stream  INTEGER,
  attempt INTEGER,                     -- NULL: stays whatever attempt is chosen
  kind    TEXT NOT NULL,
  volume  TEXT NOT NULL,
  path    TEXT NOT NULL,
  stage   TEXT NOT NULL,
  plugin  TEXT NOT NULL,
  offset  INTEGER,
  size    INTEGER NOT NULL,
  effect  TEXT NOT NULL,
  detail  TEXT NOT NULL,
  pass    INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX i_fault_attempt ON t_fault(attempt) WHERE attempt IS NOT NULL;
CREATE INDEX i_fault_stream ON t_fault(stream) WHERE stream IS NOT NULL;

-- A pass: one look at everything, by the plugins that it names (pass.h). The first one lists and examines; its state
-- stands in t_expand and t_stream. Each later one looks once more at what the first has examined.
CREATE TABLE t_pass (
  id              INTEGER PRIMARY KEY,
  plugins         TEXT NOT NULL,       -- whose records count, ',' between
  run             INTEGER,             -- that began it
  settings_sha256 TEXT NOT NULL,
  content_only    INTEGER NOT NULL,    -- equal contents are looked at once
  status          TEXT NOT NULL        -- first, open, done, given-up
) STRICT;
INSERT INTO t_pass VALUES (1, '', NULL, '', 0, 'first');

-- What a later pass has to do with a content that is no child; children are looked at with it.
CREATE TABLE t_scan (
  pass    INTEGER NOT NULL,
  stream  INTEGER NOT NULL,
  exhibit INTEGER NOT NULL,
  disk    INTEGER NOT NULL,
  status  INTEGER NOT NULL DEFAULT 0,  -- 0 pending, 1 done, 2 partial, 3 failed, 5 given up (names.h)
  attempt INTEGER,                     -- the chosen one; NULL when done: all of it equals other contents
  read    INTEGER NOT NULL DEFAULT 0,
  unread  INTEGER NOT NULL DEFAULT 0,
  without TEXT NOT NULL DEFAULT '',
  tries   INTEGER NOT NULL DEFAULT 0,
  lost    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (pass, stream)
) STRICT, WITHOUT ROWID;
CREATE INDEX i_scan_pending ON t_scan(pass, exhibit, disk, stream) WHERE status = 0;
CREATE INDEX i_scan_attempt ON t_scan(attempt) WHERE attempt IS NOT NULL;

-- A content, also a child, that a later pass does not look at because it looks at an equal one.
CREATE TABLE t_twin (
  pass   INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  twin   INTEGER NOT NULL,             -- the one that is looked at
  shared INTEGER NOT NULL DEFAULT 0,   -- 1: what was found in the twin is written for this one, too
  PRIMARY KEY (pass, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_note (
  id      INTEGER PRIMARY KEY,
  stream  INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  plugin  TEXT NOT NULL,
  offset  INTEGER NOT NULL,
  text    TEXT NOT NULL
) STRICT;
CREATE INDEX i_note_stream ON t_note(stream);

-- What follows from findings (link.h): derived, made anew at the end of a run.
CREATE TABLE t_deleted (
  stream      INTEGER PRIMARY KEY,     -- a deleted content
  bytes       INTEGER NOT NULL,        -- on the medium
  overwritten INTEGER NOT NULL         -- of these, in blocks that a live content now owns
) STRICT;
CREATE TABLE t_overwritten (
  stream INTEGER NOT NULL,             -- a deleted content
  offset INTEGER NOT NULL,             -- in the image
  owner  INTEGER NOT NULL,             -- the live content that owns these blocks now
  size   INTEGER NOT NULL,             -- the key comes first: SQLite 3.40's integrity_check takes what stands between for NULL
  PRIMARY KEY (stream, offset, owner)
) STRICT, WITHOUT ROWID;
CREATE TABLE t_carved (
  stream  INTEGER PRIMARY KEY,
  same_as INTEGER,                     -- a file's content that is the same
  inside  INTEGER                      -- a recovered object that this one is a part of
) STRICT;

-- Record types that the case knows; `fields` as "name:kind,...".
CREATE TABLE t_record_type (
  plugin         TEXT NOT NULL,
  name           TEXT NOT NULL,
  plugin_version INTEGER NOT NULL,
  version        INTEGER NOT NULL,
  fields         TEXT NOT NULL,
  table_name     TEXT NOT NULL,
  PRIMARY KEY (plugin, name)
) STRICT, WITHOUT ROWID;
