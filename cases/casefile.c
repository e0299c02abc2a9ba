/*
 * casefile: the folder, its lock, its exhibits.
 */
#include "cases/casefile.h"

#include "cases/crashpoint.h"
#include "cases/queue.h"
#include "cases/views.h"
#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "engine/base/version.h"
#include "engine/base/when.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SCHEMA_VERSION = 4, PATH_SIZE = 4096, FIRST_RECORD_MAX = 16 * 1024 };
extern const char schema_sql[];

struct casefile {
    char *folder, *number;
    struct db *db;
    struct ledger *ledger;
    int lock;
    bool ready; /* opened whole, for writing */
    bool counted;
    uint64_t pass;
    struct queue_counts counts;
    struct casefile_digest digest;
};

/* ------------------------------------------------------------------ paths and names */

static int path_in(const char *folder, const char *name, char ret[PATH_SIZE], struct why *why)
{
    if (snprintf(ret, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE)
        return 0;
    return why_set(why, -ENAMETOOLONG, "%s: the path is too long", folder);
}

static const char *login(void)
{
    struct passwd *user = getpwuid(getuid());
    return user && user->pw_name ? user->pw_name : "unknown";
}

static void actor(char *ret, size_t size)
{
    char host[256] = "unknown";
    (void)gethostname(host, sizeof host - 1);
    snprintf(ret, size, "%s@%s", login(), host);
}

static const char *base_name(const char *folder)
{
    const char *end = folder + strlen(folder);
    while (end > folder + 1 && end[-1] == '/')
        end--;
    const char *start = end;
    while (start > folder && start[-1] != '/')
        start--;
    static char name[256];
    snprintf(name, sizeof name, "%.*s", (int)(end - start), start);
    return name;
}

/* ------------------------------------------------------------------ its lock */

enum { LOCK_TRIES = 20, HOLDER_SIZE = 256 };

static void read_holder(int fd, char ret[HOLDER_SIZE])
{
    ssize_t size = pread(fd, ret, HOLDER_SIZE - 1, 0);
    ret[size > 0 ? size : 0] = 0;
    ret[strcspn(ret, "\n")] = 0;
}

/* casefile_holder holds a lock for a moment to see whether there is one. */
static int lock_now(int fd)
{
    for (int i = 1; flock(fd, LOCK_EX | LOCK_NB); i++) {
        if (errno != EWOULDBLOCK || i == LOCK_TRIES)
            return -errno;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return 0;
}

static bool is_still_there(int fd, const char *path)
{
    struct stat held, there;
    return fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_dev == there.st_dev &&
           held.st_ino == there.st_ino;
}

/* The folder's lock as *ret_fd, which is to be closed after a failure, too. -EBUSY: another has it. */
static int take_lock(const char *folder, int *ret_fd, struct why *why)
{
    char path[PATH_SIZE], holder[HOLDER_SIZE] = "";
    int code = path_in(folder, "lock", path, why);
    if (code)
        return code;
    *ret_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*ret_fd < 0)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    code = lock_now(*ret_fd);
    if (code && code != -EWOULDBLOCK)
        return why_set(why, code, "%s: the file system gives no lock: %s", path, strerror(-code));
    if (code == 0 && !is_still_there(*ret_fd, path)) {
        /* Who made the case in vain took its lock away with it. */
        close(*ret_fd);
        return take_lock(folder, ret_fd, why);
    }
    if (code) {
        read_holder(*ret_fd, holder);
        return why_set(why, -EBUSY, "%s: another run holds this case (%s)", folder,
                       holder[0] ? holder : "it does not say who");
    }
    char host[200] = "unknown";
    (void)gethostname(host, sizeof host - 1);
    int length = snprintf(holder, sizeof holder, "pid %ld on %s\n", (long)getpid(), host);
    /* A hint for people only: that it could not be written does no harm. */
    if (ftruncate(*ret_fd, 0) == 0 && pwrite(*ret_fd, holder, (size_t)length, 0) < 0)
        return 0;
    return 0;
}

/* ------------------------------------------------------------------ making one */

static int put(struct db *db, const char *key, const char *value)
{
    struct db_statement *s;
    int code = db_prepare(db, "INSERT INTO t_case VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2", &s);
    if (code)
        return code;
    db_bind_text(s, 1, key);
    db_bind_text(s, 2, value);
    code = db_run(s);
    db_finalize(s);
    return code;
}

/* 0 when all of the write-ahead log is in the database and the log is empty. */
static int checkpoint(struct db *db)
{
    uint64_t busy = 1;
    int code = db_number(db, "PRAGMA wal_checkpoint(TRUNCATE)", 0, 0, &busy);
    return code ? code : busy ? -EBUSY : 0;
}

static int fill_database(const char *path, const char *number, const char *examiner, struct why *why)
{
    struct db *db;
    char now[WHEN_TEXT_SIZE];
    int code = db_open(path, DB_CREATE, &db, why);
    if (code)
        return code;
    code = db_begin(db);
    if (code == 0)
        code = db_exec(db, schema_sql);
    if (code == 0)
        code = put(db, "number", number);
    if (code == 0)
        code = put(db, "examiner", examiner);
    if (code == 0)
        code = put(db, "created", when_format_ms(when_now(), now));
    if (code == 0)
        code = put(db, "made_by", kvali_version());
    if (code == 0)
        code = views_make(db);
    crash_point("create-database");
    if (code == 0)
        code = db_commit(db);
    if (code == 0)
        code = checkpoint(db); /* its log would not go with it to its name */
    if (code)
        why_set(why, code, "%s: %s", path, db_error(db));
    db_close(db);
    return code;
}

/* Under another name until it is whole: what a kill leaves must not look like a case. */
static int make_database(const char *folder, const char *number, const char *examiner, struct why *why)
{
    char made[PATH_SIZE], path[PATH_SIZE];
    int code = path_in(folder, "case.db.new", made, why);
    if (code == 0)
        code = path_in(folder, "case.db", path, why);
    if (code == 0)
        code = fill_database(made, number, examiner, why);
    crash_point("create-written");
    if (code == 0 && rename(made, path))
        code = why_set(why, -errno, "%s: %s", path, strerror(errno));
    int fd = code ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* not every file system can; then the folder is as durable as it makes it */
        close(fd);
    }
    return code;
}

static int make_ledger(const char *path, const char *number, const char *examiner, struct why *why)
{
    char who[512];
    struct ledger *ledger;
    struct buf buf = {0};
    struct json json;
    actor(who, sizeof who);
    int code = ledger_open(path, true, who, NULL, &ledger, why);
    if (code)
        return code;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "case", number);
    json_text(&json, "examiner", examiner);
    json_text(&json, "kvali", kvali_version());
    json_text(&json, "commit", kvali_commit());
    json_u64(&json, "schema", SCHEMA_VERSION);
    json_object_close(&json);
    code = buf_failed(&buf) ? why_set(why, -ENOMEM, "out of memory")
                            : ledger_append(ledger, "case", buf_cstr(&buf), why);
    buf_finish(&buf);
    ledger_close(ledger);
    return code;
}

/* All but the lock, which others may be waiting for. */
static void remove_all(const char *folder)
{
    static const char *const files[] = {"case.db.new", "case.db.new-wal", "case.db.new-shm", "case.db",
                                        "case.db-wal", "case.db-shm",     "ledger.jsonl"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (path_in(folder, files[i], path, NULL) == 0)
            (void)unlink(path);
    if (path_in(folder, "exports", path, NULL) == 0)
        (void)rmdir(path);
    if (path_in(folder, "reports", path, NULL) == 0)
        (void)rmdir(path);
}

/* What was begun in vain; the lock is held. */
static void take_back(const char *folder)
{
    char path[PATH_SIZE];
    remove_all(folder);
    if (path_in(folder, "lock", path, NULL) == 0)
        (void)unlink(path);
}

static int make_inside(const char *folder, const char *number, const char *examiner, struct why *why)
{
    char path[PATH_SIZE];
    static const char *const folders[] = {"exports", "reports"};
    for (size_t i = 0; i < 2; i++) {
        int code = path_in(folder, folders[i], path, why);
        if (code || mkdir(path, 0700))
            return code ? code : why_set(why, -errno, "%s: %s", path, strerror(errno));
    }
    int code = path_in(folder, "ledger.jsonl", path, why);
    if (code == 0)
        code = make_ledger(path, number, examiner, why);
    crash_point("create-ledger");
    return code ? code
                : make_database(folder, number, examiner, why); /* last: a folder with case.db is a case */
}

/* Without a database a ledger of one record is what a kill left of an earlier try. One that tells of more is
 * what is left of a case, and nothing of that is thrown away. */
static int check_no_case(const char *folder, struct why *why)
{
    char path[PATH_SIZE], head[SHA256_HEX_SIZE];
    struct stat st;
    uint64_t count = 0;
    int code = path_in(folder, "case.db", path, why);
    if (code)
        return code;
    if (stat(path, &st) == 0)
        return why_set(why, -EEXIST, "%s: there is a case already", folder);
    code = path_in(folder, "ledger.jsonl", path, why);
    if (code || stat(path, &st))
        return code;
    code = ledger_walk(path, NULL, NULL, &count, head, NULL);
    bool made_now = code == 0 ? count <= 1 : st.st_size < FIRST_RECORD_MAX;
    return made_now
               ? 0
               : why_set(why, -EEXIST, "%s: there is the ledger of a case whose database is gone", folder);
}

int casefile_create(const char *folder, const char *number, const char *examiner, struct why *why)
{
    int code = check_no_case(folder, why);
    if (code)
        return code;
    int lock = -1;
    bool made = mkdir(folder, 0700) == 0;
    if (!made && errno != EEXIST)
        return why_set(why, -errno, "%s: %s", folder, strerror(errno));
    code = take_lock(folder, &lock, why);
    if (code == 0)
        code = check_no_case(folder, why); /* once more: another may have made it meanwhile */
    if (code == 0) {
        remove_all(folder); /* what a kill left of an earlier try: without case.db it never was a case */
        code = make_inside(folder, number ? number : base_name(folder), examiner ? examiner : login(), why);
        if (code)
            take_back(folder);
    }
    if (lock >= 0)
        close(lock);
    if (code && made)
        (void)rmdir(folder); /* which refuses when another is at work in it */
    return code;
}

/* ------------------------------------------------------------------ opening one */

enum casefile_lock casefile_holder(const char *folder, char ret_holder[HOLDER_SIZE], bool *ret_elsewhere)
{
    char path[PATH_SIZE], host[200] = "unknown";
    enum casefile_lock lock = CASEFILE_UNKNOWN;
    ret_holder[0] = 0;
    *ret_elsewhere = false;
    if (path_in(folder, "lock", path, NULL))
        return lock;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return lock;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        lock = CASEFILE_FREE;
    else if (errno == EWOULDBLOCK)
        lock = CASEFILE_HELD;
    read_holder(fd, ret_holder);
    close(fd);
    (void)gethostname(host, sizeof host - 1);
    const char *on = strstr(ret_holder, " on ");
    *ret_elsewhere = on && strcmp(on + 4, host) != 0;
    return lock;
}

static int read_number(struct db *db, const char *sql, int64_t *ret)
{
    struct db_statement *s;
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
    code = db_step(s);
    if (code == 1)
        *ret = db_i64(s, 0);
    db_finalize(s);
    return code == 1 ? 0 : code ? code : -EUCLEAN;
}

static int check_schema(struct casefile *cf, struct why *why)
{
    int64_t version = 0, application = 0;
    int code = read_number(cf->db, "PRAGMA user_version", &version);
    if (code == 0)
        code = read_number(cf->db, "PRAGMA application_id", &application);
    if (code)
        return why_set(why, code, "%s/case.db: %s", cf->folder, db_error(cf->db));
    if (application != 0x6b76616c)
        return why_set(why, -EUCLEAN, "%s/case.db: it is not a kvali case", cf->folder);
    if (version > SCHEMA_VERSION)
        return why_set(why, -EPROTO, "%s: the case is of a newer kvali (schema %lld, this one knows %d)",
                       cf->folder, (long long)version, SCHEMA_VERSION);
    if (version < SCHEMA_VERSION)
        return why_set(
            why, -EPROTO,
            "%s: the case is of an older kvali (schema %lld, this one writes %d): use the one that "
            "made it",
            cf->folder, (long long)version, SCHEMA_VERSION);
    return 0;
}

static int load_number(struct casefile *cf, struct why *why)
{
    struct db_statement *s;
    int code = db_prepare(cf->db, "SELECT value FROM t_case WHERE key = 'number'", &s);
    if (code == 0) {
        code = db_step(s);
        cf->number = strdup(code == 1 ? db_text(s, 0) : "");
        db_finalize(s);
    }
    if (code >= 0 && !cf->number)
        return why_set(why, -ENOMEM, "out of memory");
    return code < 0 ? why_set(why, code, "%s/case.db: %s", cf->folder, db_error(cf->db)) : 0;
}

/* Keys of t_case. */
#define LEDGER_COUNT "ledger_count"
#define LEDGER_HEAD  "ledger_head"

int casefile_remembered(struct db *db, struct ledger_known *ret)
{
    struct db_statement *s;
    *ret = (struct ledger_known){0};
    int code = db_prepare(db,
                          "SELECT a.value, b.value FROM t_case a, t_case b WHERE a.key = '" LEDGER_COUNT
                          "' AND b.key = '" LEDGER_HEAD "'",
                          &s);
    if (code)
        return code;
    code = db_step(s);
    if (code == 1) {
        ret->count = strtoull(db_text(s, 0), NULL, 10);
        snprintf(ret->head, sizeof ret->head, "%s", db_text(s, 1));
    }
    db_finalize(s);
    return code < 0 ? code : 0;
}

static int open_ledger(struct casefile *cf, struct why *why)
{
    char path[PATH_SIZE], who[512];
    struct ledger_known known;
    actor(who, sizeof who);
    int code = path_in(cf->folder, "ledger.jsonl", path, why);
    if (code)
        return code;
    code = casefile_remembered(cf->db, &known);
    return code ? why_set(why, code, "%s/case.db: %s", cf->folder, db_error(cf->db))
                : ledger_open(path, false, who, &known, &cf->ledger, why);
}

static int open_inside(struct casefile *cf, enum casefile_mode mode, struct why *why)
{
    char path[PATH_SIZE];
    struct stat st;
    int code = path_in(cf->folder, "case.db", path, why);
    if (code)
        return code;
    if (stat(path, &st))
        return why_set(why, -errno, "%s: %s", cf->folder,
                       errno == ENOENT ? "there is no case there" : strerror(errno));
    if (mode != CASEFILE_READ)
        code = take_lock(cf->folder, &cf->lock, why);
    if (code == 0)
        code = db_open(path, mode == CASEFILE_WRITE ? DB_WRITE : DB_READ, &cf->db, why);
    if (code == 0)
        code = check_schema(cf, why);
    if (code == 0)
        code = load_number(cf, why);
    return code || mode == CASEFILE_READ ? code : open_ledger(cf, why);
}

int casefile_open(const char *folder, enum casefile_mode mode, struct casefile **ret_case, struct why *why)
{
    struct casefile *cf = calloc(1, sizeof *cf);
    if (!cf)
        return why_set(why, -ENOMEM, "out of memory");
    cf->lock = -1;
    cf->pass = 1;
    cf->folder = strdup(folder);
    int code = cf->folder ? open_inside(cf, mode, why) : why_set(why, -ENOMEM, "out of memory");
    if (code == 0 && mode == CASEFILE_WRITE) {
        code = casefile_clear_open(cf);
        if (code)
            why_set(why, code, "%s/case.db: %s", folder, db_error(cf->db));
        cf->ready = code == 0;
    }
    if (code) {
        casefile_close(cf);
        return code;
    }
    *ret_case = cf;
    return 0;
}

/* The chain does not show that its last records are gone: the database remembers how far it went. What a kill
 * leaves remembers less than there is, which is no damage. */
static void remember_ledger(struct casefile *cf)
{
    char count[24];
    snprintf(count, sizeof count, "%llu", (unsigned long long)ledger_count(cf->ledger));
    int code = db_begin(cf->db);
    if (code == 0)
        code = put(cf->db, LEDGER_COUNT, count);
    if (code == 0)
        code = put(cf->db, LEDGER_HEAD, ledger_head(cf->ledger));
    if (code || db_commit(cf->db))
        db_rollback(cf->db);
}

int casefile_freeze(struct casefile *cf, struct why *why)
{
    if (cf->ready)
        remember_ledger(cf);
    cf->ready = false;
    int code = checkpoint(cf->db);
    if (code)
        return why_set(why, code, "%s/case.db: %s", cf->folder,
                       code == -EBUSY ? "somebody else reads it at this moment" : db_error(cf->db));
    db_close(cf->db);
    cf->db = NULL;
    return 0;
}

void casefile_close(struct casefile *cf)
{
    if (!cf)
        return;
    if (cf->ready)
        remember_ledger(cf);
    ledger_close(cf->ledger);
    db_close(cf->db);
    if (cf->lock >= 0)
        close(cf->lock);
    free(cf->folder);
    free(cf->number);
    free(cf);
}

int casefile_counts_again(struct casefile *cf)
{
    cf->counted = false;
    struct queue_counts *counts;
    return casefile_counts(cf, &counts);
}

int casefile_set_pass(struct casefile *cf, uint64_t pass)
{
    cf->pass = pass;
    return casefile_counts_again(cf);
}

uint64_t casefile_pass(const struct casefile *cf)
{
    return cf->pass;
}

int casefile_counts(struct casefile *cf, struct queue_counts **ret_counts)
{
    int code = cf->counted ? 0 : queue_count(cf->db, cf->pass, &cf->counts);
    cf->counted = code == 0;
    *ret_counts = &cf->counts;
    return code;
}

struct casefile_digest *casefile_digest(struct casefile *cf)
{
    return &cf->digest;
}

struct db *casefile_db(struct casefile *cf)
{
    return cf->db;
}

struct ledger *casefile_ledger(struct casefile *cf)
{
    return cf->ledger;
}

const char *casefile_folder(const struct casefile *cf)
{
    return cf->folder;
}

const char *casefile_number(const struct casefile *cf)
{
    return cf->number;
}
