/* case_world: see case_world.h. */
#include "tests/unit/case_world.h"

#include "cases/digest.h"
#include "engine/base/when.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct field digest_fields[] = {
    {"md5", FIELD_BYTES, "", "a hash"},    {"sha1", FIELD_BYTES, "", "a hash"},
    {"sha256", FIELD_BYTES, "", "a hash"}, {"xxh3", FIELD_BYTES, "", "a hash"},
    {"size", FIELD_U64, "", "bytes"},      {"unread", FIELD_U64, "", "bytes"},
};
static struct record_type digest_type = {"digest", 1, "hashes", digest_fields, 6};

static bool is_ready(void *context, uint64_t exhibit)
{
    (void)context;
    return exhibit > 0;
}

static bool is_busy(void *context, uint64_t id)
{
    (void)context;
    return id == 0;
}

const struct queue_filter world_all = {is_ready, is_busy, NULL};

/* ------------------------------------------------------------------ a case's life */

void world_begin(struct case_world *world)
{
    *world = (struct case_world){.base = "/tmp/kvali-case-XXXXXX"};
    cr_assert_eq(hash_setup(), 0);
    cr_assert(mkdtemp(world->base));
    snprintf(world->folder, sizeof world->folder, "%s/case", world->base);
}

void world_run(struct case_world *world)
{
    struct why why = {{0}};
    struct record_type *types[] = {&digest_type};
    cr_assert_eq(writer_new(world->cf, &world->writer, &why), 0, "%s", why.text);
    cr_assert_eq(writer_run_begin(world->writer, "{}", "", "{}", "{\"os\":\"Linux\"}", &world->run), 0);
    cr_assert_eq(writer_plugin(world->writer, WORLD_DIGEST, "digest", 1, types, 1), 0, "%s",
                 writer_error(world->writer));
}

void world_make(struct case_world *world)
{
    struct why why = {{0}};
    world_begin(world);
    cr_assert_eq(casefile_create(world->folder, "2026-001", "examiner", &why), 0, "%s", why.text);
    world_reopen(world);
    cr_assert_eq(casefile_add_exhibit(world->cf, "EX-1", "/srv/disk.E01", "ewf", &world->exhibit, &why), 0,
                 "%s", why.text);
    world_run(world);
}

void world_kill(struct case_world *world)
{
    writer_free(world->writer);
    casefile_close(world->cf);
    world->writer = NULL;
    world->cf = NULL;
}

void world_flush(struct case_world *world)
{
    if (world->writer)
        cr_assert_eq(writer_flush(world->writer), 0, "%s", writer_error(world->writer));
}

void world_close(struct case_world *world)
{
    world_flush(world);
    world_kill(world);
}

void world_reopen(struct case_world *world)
{
    struct why why = {{0}};
    cr_assert_eq(casefile_open(world->folder, CASEFILE_WRITE, &world->cf, &why), 0, "%s", why.text);
}

void world_drop(struct case_world *world)
{
    char command[128];
    world_kill(world);
    cr_assert(strncmp(world->base, "/tmp/kvali-case-", 16) == 0);
    snprintf(command, sizeof command, "rm -rf '%s'", world->base);
    cr_assert_eq(system(command), 0);
}

/* ------------------------------------------------------------------ files */

const char *world_path(const struct case_world *world, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", world->base, name);
    return path;
}

char *world_read(const struct case_world *world, const char *name, size_t *ret_size)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", world->folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && fstat(fd, &st) == 0, "%s", path);
    size_t size = (size_t)st.st_size;
    char *data = malloc(size + 1);
    cr_assert(data);
    cr_assert_eq(read(fd, data, size), (ssize_t)size);
    data[size] = 0;
    close(fd);
    if (ret_size)
        *ret_size = size;
    return data;
}

void world_write(const struct case_world *world, const char *name, const void *data, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", world->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert(fd >= 0, "%s", path);
    cr_assert_eq(write(fd, data, size), (ssize_t)size);
    close(fd);
}

/* ------------------------------------------------------------------ what workers say */

uint64_t world_expand(struct case_world *world, uint32_t worker, const char *locator)
{
    uint64_t attempt;
    char sql[256];
    if (strcmp(locator, "volumes") == 0)
        cr_assert_eq(writer_expand_add(world->writer, world->exhibit, locator, ""), 0);
    snprintf(sql, sizeof sql, "SELECT id FROM t_expand WHERE locator = '%s' AND status = 0", locator);
    int64_t id = world_number(world, sql);
    const struct attempt_at at = {.run = world->run, .expand = (uint64_t)id, .worker = worker};
    cr_assert_eq(writer_attempt_begin(world->writer, &at, &attempt), 0);
    return attempt;
}

void world_volume(struct case_world *world, uint64_t attempt, const char *key, const char *expand)
{
    struct found_volume volume = {.key = key,
                                  .parent = "",
                                  .table = "gpt",
                                  .type = "Basic data",
                                  .label = "",
                                  .offset = 1048576,
                                  .size = 1048576,
                                  .filesystem = "ntfs",
                                  .content = "",
                                  .serial = "",
                                  .time_note = "UTC, 100 ns",
                                  .expand = expand,
                                  .root = "",
                                  .raw = ""};
    cr_assert_eq(writer_volume(world->writer, attempt, world->exhibit, &volume), 0, "%s",
                 writer_error(world->writer));
}

struct found_entry world_entry_of(const char *path, const char *locator)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct found_entry entry = found_entry_blank();
    entry.volume = "p1";
    entry.path = path;
    entry.name = name;
    entry.name_size = strlen(name);
    entry.size = 10;
    entry.modified = 1764000000000000000;
    entry.locator = locator;
    entry.disk = 4096;
    return entry;
}

uint64_t world_entry(struct case_world *world, uint64_t attempt, const char *path, const char *locator)
{
    char sql[512];
    struct found_entry entry = world_entry_of(path, locator);
    cr_assert_eq(writer_entry(world->writer, attempt, world->exhibit, &entry), 0, "%s",
                 writer_error(world->writer));
    snprintf(sql, sizeof sql, "SELECT id FROM t_stream WHERE exhibit = %llu AND locator = '%s'",
             (unsigned long long)world->exhibit, locator);
    return *locator ? (uint64_t)world_number(world, sql) : 0;
}

uint64_t world_scan(struct case_world *world, uint32_t worker, uint64_t stream)
{
    uint64_t attempt;
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT size FROM t_stream WHERE id = %llu", (unsigned long long)stream);
    const struct attempt_at at = {
        .run = world->run, .stream = stream, .size = (uint64_t)world_number(world, sql), .worker = worker};
    cr_assert_eq(writer_attempt_begin(world->writer, &at, &attempt), 0);
    return attempt;
}

void world_record(struct case_world *world, uint64_t attempt, uint64_t stream, uint64_t ordinal, int fill)
{
    uint8_t bytes[32];
    memset(bytes, fill, sizeof bytes);
    struct value values[] = {value_bytes(bytes, 16), value_bytes(bytes, 20), value_bytes(bytes, 32),
                             value_bytes(bytes, 16), value_u64(10),          value_u64(0)};
    cr_assert_eq(writer_record(world->writer, attempt, stream, WORLD_DIGEST, 0, ordinal, values), 0, "%s",
                 writer_error(world->writer));
}

void world_fault(struct case_world *world, uint64_t attempt, uint64_t stream, const char *detail)
{
    struct found_fault fault = {.kind = FAULT_DAMAGED,
                                .volume = "p1",
                                .path = "",
                                .stage = "walk",
                                .plugin = "",
                                .offset = UINT64_MAX,
                                .effect = "the listing is incomplete",
                                .detail = detail};
    cr_assert_eq(writer_fault(world->writer, attempt, world->exhibit, stream, &fault), 0);
}

void world_end(struct case_world *world, uint64_t attempt, enum attempt_end end)
{
    const struct attempt_read read = {.read = end <= ATTEMPT_PARTIAL ? 10 : 0};

    cr_assert_eq(writer_attempt_end(world->writer, attempt, end, &read), 0, "%s", writer_error(world->writer));
}

int world_child(struct writer *writer, uint64_t attempt, uint64_t parent, const char *path, const char *name,
                size_t name_size, enum stream_kind kind, bool deleted, uint64_t offset, const char *plugin,
                uint64_t *ret_stream)
{
    const struct writer_child child = {.path = path,
                                       .name = name,
                                       .name_size = name_size,
                                       .kind = kind,
                                       .deleted = deleted,
                                       .offset = offset,
                                       .plugin = plugin};

    return writer_child(writer, attempt, parent, &child, ret_stream);
}

void world_fill(struct case_world *world, size_t files)
{
    char path[64], locator[64];
    uint64_t attempt = world_expand(world, 1, "volumes");
    world_volume(world, attempt, "p1", "fs@1048576:ntfs");
    world_end(world, attempt, ATTEMPT_DONE);
    uint64_t walk = world_expand(world, 1, "fs@1048576:ntfs");
    for (size_t i = 0; i < files; i++) {
        snprintf(path, sizeof path, "disk.E01/p1/ntfs/file-%zu.txt", i);
        snprintf(locator, sizeof locator, "fs@1048576:ntfs/%zu-128-1", i + 100);
        uint64_t stream = world_entry(world, walk, path, locator);
        uint64_t scan = world_scan(world, 2, stream);
        world_record(world, scan, stream, 0, (int)i + 1);
        world_end(world, scan, ATTEMPT_DONE);
    }
    world_end(world, walk, ATTEMPT_DONE);
}

void world_run_end(struct case_world *world)
{
    char digest[SHA256_HEX_SIZE], fields[160];
    struct why why = {{0}};
    cr_assert_eq(writer_run_end(world->writer, world->run, "done"), 0);
    world_flush(world);
    cr_assert_eq(case_digest(world->cf, NULL, NULL, digest, &why), 0, "%s", why.text);
    snprintf(fields, sizeof fields, "{\"digest\":\"%s\",\"status\":\"done\"}", digest);
    cr_assert_eq(ledger_append(casefile_ledger(world->cf), "run-end", fields, &why), 0, "%s", why.text);
}

/* ------------------------------------------------------------------ looking */

static struct db_statement *first_row(struct case_world *world, const char *sql)
{
    struct db_statement *s;
    struct db *db = casefile_db(world->cf);
    /* As the sqlite3 that people use: there a view may call json_object. */
    cr_assert_eq(db_exec(db, "PRAGMA trusted_schema = 1"), 0);
    cr_assert_eq(db_prepare(db, sql, &s), 0, "%s: %s", sql, db_error(db));
    cr_assert_eq(db_step(s), 1, "no row: %s", sql);
    cr_assert_eq(db_exec(db, "PRAGMA trusted_schema = 0"), 0);
    return s;
}

int64_t world_number(struct case_world *world, const char *sql)
{
    struct db_statement *s = first_row(world, sql);
    int64_t number = db_i64(s, 0);
    db_finalize(s);
    return number;
}

const char *world_text(struct case_world *world, const char *sql)
{
    static char texts[4][512];
    static size_t next;
    char *text = texts[next++ % 4];
    struct db_statement *s = first_row(world, sql);
    snprintf(text, sizeof texts[0], "%s", db_text(s, 0));
    db_finalize(s);
    return text;
}
