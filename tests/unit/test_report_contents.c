/*
 * report_model_contents: each content counts once, in the volume of the name that it has in the case,
 * whatever its id is; and so do types, the first pass and years.
 *
 * Of content i 2^i bytes were read, so that the bytes of a row say which contents count there.
 */
#include "cases/report/report_files.h"
#include "cases/report/report_model.h"
#include "cases/views.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char base[64];
static struct casefile *cf;

__attribute__((format(printf, 1, 2))) static void sql(const char *format, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    int error = db_exec(casefile_db(cf), buf_cstr(&text));
    cr_assert_eq(error, 0, "%s: %s", buf_cstr(&text), db_error(casefile_db(cf)));
    buf_finish(&text);
}

static void begin(void)
{
    char folder[80];
    struct why why = {{0}};
    snprintf(base, sizeof base, "/tmp/kvali-report-XXXXXX");
    cr_assert(mkdtemp(base));
    snprintf(folder, sizeof folder, "%s/case", base);
    cr_assert_eq(casefile_create(folder, "1", "N", &why), 0, "%s", why.text);
    cr_assert_eq(casefile_open(folder, CASEFILE_WRITE, &cf, &why), 0, "%s", why.text);
    sql("INSERT INTO t_exhibit(id, label, path, type_wanted, added, name, type, size) VALUES (1, 'A', '/a', "
        "'raw', 0, 'd', "
        "'raw', 1000), (2, 'B', '/b', 'raw', 0, 'e', 'raw', 1000);"
        "INSERT INTO t_attempt(id, run, expand, worker, status) VALUES (1, 1, 1, 0, 'done')");
}

static void end(void)
{
    char command[80];
    casefile_close(cf);
    snprintf(command, sizeof command, "rm -r %s", base);
    cr_assert_eq(system(command), 0);
}

static void add_volume(int exhibit, const char *key, const char *raw)
{
    sql("INSERT INTO t_volume(exhibit, key, parent, partition_table, type, label, offset, size, filesystem, "
        "content, block_size, "
        "block_count, fs_size, serial, time_note, expand, raw, use, found) VALUES (%d, '%s', '', '', '', '', "
        "0, 1, '', '', 0, 0, "
        "0, '', '', '', '%s', 0, 1)",
        exhibit, key, raw);
}

static void add_entry(int exhibit, const char *volume, const char *path, const char *stream)
{
    sql("INSERT INTO t_entry(exhibit, path, name, volume, type, kind, flags, inode, sequence, parent_inode, "
        "size, allocated, "
        "mode, uid, gid, links, raw_times, target, attribute, stream, found) VALUES (%d, '%s', x'', '%s', 0, "
        "2, 0, 0, 0, 0, 0, 0, "
        "0, 0, 0, 0, '', '', '', %s, 1)",
        exhibit, path, volume, stream);
}

/* How ids are given to contents. None has number 0. */
static long long dense(int i)
{
    return i + 1;
}
static long long down(int i)
{
    return 100 - i;
}
static long long huge(int i)
{
    return i == 7 ? 1LL << 62 : i + 1;
}
static long long below_zero(int i)
{
    return i - 3;
}
static long long (*const shapes[])(int) = {dense, down, huge, below_zero};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static long long (*id_of)(int);

static const char *id_text(int i)
{
    static char text[8][24];
    static unsigned next;
    char *to = text[next++ % 8];
    snprintf(to, 24, "%lld", id_of(i));
    return to;
}

static void add_stream(int i, int exhibit, const char *locator, const char *path, int kind,
                       const char *parent)
{
    sql("INSERT INTO t_stream(id, exhibit, locator, path, extension, kind, deleted, size, disk, status, "
        "attempt, read, parent, "
        "found) VALUES (%s, %d, '%s', '%s', '', %d, 0, 5, 0, 1, 1, %lld, %s, 1)",
        id_text(i), exhibit, locator, path, kind, 1LL << i, parent);
}

static void fill(long long (*shape)(int))
{
    id_of = shape;
    add_volume(1, "p1", "");
    add_volume(1, "p2", "");
    add_volume(1, "gap1", "raw@0");
    add_volume(1, "gap2", "raw@0"); /* the same bytes once more: they count in the first */
    add_volume(2, "p1", "fs@0/2");
    add_stream(1, 1, "image", "d", 0, "NULL");
    add_stream(2, 1, "fs@0/1", "d/p1/x", 2, "NULL");
    add_stream(3, 1, "fs@0/2", "d/p2/y", 2, "NULL");
    add_stream(4, 1, "raw@0", "d/gap", 1, "NULL");
    add_stream(5, 1, "free@0", "d/free", 6, "NULL");
    add_stream(6, 1, "child/d/p2/y!/a", "d/p2/y!/a", 7, id_text(3));
    add_stream(7, 1, "child/d/p2/y!/a!/b", "d/p2/y!/a!/b", 7, id_text(6));
    add_stream(8, 1, "child/d/free!/c", "d/free!/c", 8, id_text(5));
    add_stream(9, 2, "fs@0/2", "e/p1/z", 2, "NULL"); /* by its raw bytes: its name is another content's */
    add_stream(10, 1, "child/lost", "lost", 7, id_text(0)); /* in what is not there */
    add_stream(11, 2, "image", "e", 0, "NULL");
    add_entry(1, "p2", "d/p2/x", id_text(2)); /* other names before and behind those that the contents have */
    add_entry(1, "p1", "d/p1/x", id_text(2));
    add_entry(1, "p2", "d/p2/y", id_text(3));
    add_entry(1, "p1", "d/p1/y", id_text(3));
    add_entry(1, "p1", "d/p1/folder", "NULL");
    add_entry(2, "p1", "e/p1/z", id_text(3));
    add_entry(2, "p9", "e/p9/z", "77");
}

static const struct model_volume *row_of(const struct report_model *model, uint64_t exhibit,
                                         enum model_part part, const char *key)
{
    for (size_t i = 0; i < model->volume_cut.count; i++)
        if (model->volumes[i].exhibit == exhibit && model->volumes[i].part == part &&
            (!key || !strcmp(model->volumes[i].key, key)))
            return &model->volumes[i];
    cr_assert_fail("there is no such row");
    return NULL;
}

static struct report_model *model_of(void)
{
    struct report_model *model = NULL;
    struct why why = {{0}};
    cr_assert_eq(report_model_new(cf, 0, &model, &why), 0, "%s", why.text);
    return model;
}

#define READ(model, exhibit, part, key) row_of(model, exhibit, part, key)->counts.read

static void check_rows(const struct report_model *model)
{
    cr_expect_eq(READ(model, 1, PART_MEDIUM, NULL), 1u << 1);
    cr_expect_eq(READ(model, 1, PART_VOLUME, "p1"), 1u << 2);
    cr_expect_eq(READ(model, 1, PART_VOLUME, "p2"), 1u << 3 | 1u << 6 | 1u << 7);
    cr_expect_eq(READ(model, 1, PART_VOLUME, "gap1"), 1u << 4);
    cr_expect_eq(READ(model, 1, PART_VOLUME, "gap2"), 0u);
    cr_expect_eq(READ(model, 1, PART_ELSEWHERE, NULL), 1u << 5 | 1u << 8);
    cr_expect_eq(READ(model, 2, PART_VOLUME, "p1"), 1u << 9);
    cr_expect_eq(READ(model, 2, PART_MEDIUM, NULL), 1u << 11);
    cr_expect_eq(model->total.read, 0xbfeu);
    cr_expect_eq(model->total.contents, 10u);
    cr_expect_eq(row_of(model, 1, PART_VOLUME, "p1")->counts.live, 3u);
    cr_expect_eq(row_of(model, 1, PART_VOLUME, "p2")->counts.live, 2u);
}

Test(report_contents, each_counts_in_the_volume_of_its_own_name_whatever_its_id_is)
{
    for (size_t i = 0; i < SHAPES; i++) {
        begin();
        fill(shapes[i]);
        struct report_model *model = model_of();
        check_rows(model);
        report_model_free(model);
        end();
    }
}

Test(report_contents, a_report_of_more_volumes_than_it_shows_counts_the_same)
{
    char name[32], path[32];
    begin();
    fill(dense);
    for (int i = 0; i < 2 * MODEL_VOLUMES_MAX; i++) {
        snprintf(name, sizeof name, "q%d", i);
        snprintf(path, sizeof path, "d/q/%d", i);
        add_entry(1, name, path, "NULL");
    }
    struct report_model *model = model_of();
    check_rows(model);
    cr_expect_eq(row_of(model, 1, PART_ELSEWHERE, NULL)->counts.live, 2u * MODEL_VOLUMES_MAX);
    report_model_free(model);
    end();
}

Test(report_contents, a_fault_counts_where_the_content_does_unless_it_says_where)
{
    for (size_t i = 0; i < SHAPES; i++) {
        begin();
        fill(shapes[i]);
        for (int twice = 0; twice < 2; twice++)
            sql("INSERT INTO t_fault(exhibit, stream, kind, volume, path, stage, plugin, size, effect, "
                "detail) VALUES (1, %s, "
                "'limit', '', '', '', '', 0, '', ''), (1, %s, 'crash', 'p1', '', '', '', 0, '', ''), (1, %s, "
                "'crash', '', '', '', "
                "'', 0, '', '')",
                id_text(7), id_text(3), id_text(10));
        struct report_model *model = model_of();
        cr_expect_eq(row_of(model, 1, PART_VOLUME, "p2")->counts.faults, 2u);
        cr_expect_eq(row_of(model, 1, PART_VOLUME, "p2")->counts.limited, 1u, "it is one content");
        cr_expect_eq(row_of(model, 1, PART_VOLUME, "p1")->counts.faults, 2u);
        cr_expect_eq(row_of(model, 1, PART_ELSEWHERE, NULL)->counts.faults, 2u);
        report_model_free(model);
        end();
    }
}

static void check_types(const struct report_model *model, size_t count, const struct model_type *types)
{
    cr_assert_eq(model->type_cut.count, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_str_eq(model->types[i].mime, types[i].mime);
        cr_expect_eq(model->types[i].count, types[i].count, "%s", types[i].mime);
        cr_expect_eq(model->types[i].bytes, types[i].bytes, "%s", types[i].mime);
    }
}

static char pdf[] = "application/pdf", text_plain[] = "text/plain", none[] = "";

/* 2 and 3 have several names each, 9 has none; media, free and raw space have no types. */
Test(report_contents, a_type_counts_each_content_once)
{
    for (size_t i = 0; i < SHAPES; i++) {
        begin();
        fill(shapes[i]);
        struct report_model *model = model_of();
        check_types(
            model, 1,
            &(struct model_type){none, 6, 1u << 2 | 1u << 3 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 10});
        report_model_free(model);
        sql("CREATE TABLE rec_filetype(stream INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER "
            "NOT NULL, mime TEXT, "
            "description TEXT, extension_expected TEXT, mismatch INTEGER, PRIMARY KEY (stream, attempt, "
            "ordinal)) STRICT, WITHOUT "
            "ROWID");
        sql("INSERT INTO rec_filetype(stream, attempt, ordinal, mime) VALUES (%s, 1, 0, 'text/plain'), (%s, "
            "1, 1, 'text/plain'), "
            "(%s, 1, 0, '%s'), (%s, 1, 0, '%s'), (%s, 9, 0, 'of another attempt')",
            id_text(2), id_text(2), id_text(3), pdf, id_text(7), text_plain, id_text(6));
        sql("UPDATE t_stream SET status = 0 WHERE id = %s; UPDATE t_stream SET attempt = NULL WHERE id = %s",
            id_text(3), id_text(8));
        model = model_of();
        check_types(model, 2,
                    (struct model_type[]){{none, 2, 1u << 6 | 1u << 10}, {text_plain, 2, 1u << 2 | 1u << 7}});
        report_model_free(model);
        end();
    }
}

Test(report_contents, more_types_than_fit_count_the_same)
{
    begin();
    fill(dense);
    sql("CREATE TABLE rec_filetype(stream INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER NOT "
        "NULL, mime TEXT, "
        "description TEXT, extension_expected TEXT, mismatch INTEGER, PRIMARY KEY (stream, attempt, "
        "ordinal)) STRICT, WITHOUT "
        "ROWID; WITH n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 6099) INSERT INTO "
        "t_stream(id, exhibit, "
        "locator, path, extension, kind, deleted, size, disk, status, attempt, read, parent, found) SELECT "
        "i, 1, 'child/' || i, "
        "'child/' || i, '', 7, 0, 5, 0, 1, 1, 0, 2, 1 FROM n; INSERT INTO rec_filetype(stream, attempt, "
        "ordinal, mime) SELECT id, "
        "1, 0, printf('x/%%05d', id) FROM t_stream WHERE id >= 100");
    cr_assert_eq(views_make(casefile_db(cf)), 0);
    struct report_model *model = model_of();
    cr_assert_eq(model->type_cut.count, MODEL_TYPES_MAX);
    cr_expect_eq(model->type_rest, 6001u - MODEL_TYPES_MAX);
    cr_expect_eq(model->type_rest_count, model->type_rest);
    cr_expect_str_eq(model->types[0].mime, "");
    cr_expect_eq(model->types[0].count, 6u);
    cr_expect_str_eq(model->types[1].mime, "x/00100");
    report_model_free(model);
    end();
}

static void check_first_pass(void)
{
    struct report_model *model = model_of();
    struct db_statement *s;
    cr_assert_eq(model->pass_cut.count, 1u);
    const struct model_pass *pass = &model->passes[0];
    cr_assert_eq(
        db_prepare(casefile_db(cf), "SELECT contents, done, partial, failed, pending, status FROM pass", &s),
        0);
    cr_assert_eq(db_step(s), 1);
    cr_expect_eq(pass->contents, db_u64(s, 0));
    cr_expect_eq(pass->done, db_u64(s, 1));
    cr_expect_eq(pass->partial, db_u64(s, 2));
    cr_expect_eq(pass->failed, db_u64(s, 3));
    cr_expect_eq(pass->pending, db_u64(s, 4));
    cr_expect_str_eq(pass->status, db_text(s, 5));
    db_finalize(s);
    report_model_free(model);
}

Test(report_contents, the_first_pass_stands_as_its_view_says)
{
    for (size_t i = 0; i < SHAPES; i++) {
        begin();
        fill(shapes[i]);
        check_first_pass();
        sql("INSERT INTO t_expand(exhibit, locator, volume, status) VALUES (1, 'fs@0', 'p1', 1)");
        check_first_pass();
        for (int status = 4; status >= 0; status--) {
            sql("UPDATE t_stream SET status = %d WHERE id IN (%s, %s, %s)", status, id_text(1 + status),
                id_text(2), id_text(7));
            check_first_pass();
        }
        sql("UPDATE t_stream SET status = 1; UPDATE t_expand SET status = 0");
        check_first_pass();
        end();
    }
}

static uint64_t pending(void)
{
    struct report_model *model = model_of();
    uint64_t count = model->pending_contents;
    report_model_free(model);
    return count;
}

Test(report_contents, whatever_is_pending_is_told)
{
    begin();
    fill(dense);
    cr_expect_eq(pending(), 0u);
    sql("UPDATE t_stream SET status = 0 WHERE id = %s", id_text(1));
    cr_expect_eq(pending(), 1u, "a medium");
    sql("UPDATE t_stream SET status = 0 WHERE id = %s", id_text(2));
    cr_expect_eq(pending(), 2u, "a file");
    sql("UPDATE t_stream SET status = 0 WHERE id = %s", id_text(7));
    cr_expect_eq(pending(), 3u, "a child");
    end();
}

Test(report_contents, a_file_counts_in_the_year_that_its_time_is_in)
{
    static const struct {
        long long seconds;
        int year;
    } times[] = {{-2208988801, 1899}, {-2208988800, 1900}, {-1, 1969},         {0, 1970},
                 {63072000, 1972},    {94694399, 1972},    {94694400, 1973},   {951868800, 2000},
                 {978307199, 2000},   {4102444799, 2099},  {4102444800, 2100}, {4133980799, 2100},
                 {4133980800, 2101},  {-9223372036, 1677}, {9223372036, 2262}};
    enum { TIMES = sizeof times / sizeof *times };
    struct why why = {{0}};
    struct report_files *files = calloc(1, sizeof *files);
    char path[32];
    cr_assert(files);
    begin();
    for (int i = 0; i < TIMES; i++) {
        snprintf(path, sizeof path, "d/%d", i);
        add_entry(1, "p1", path, "NULL");
        sql("UPDATE t_entry SET modified = %lld WHERE path = '%s'", times[i].seconds * 1000000000, path);
    }
    add_entry(1, "p1", "d/never", "NULL");
    cr_assert_eq(report_files_gather(&(struct report_from){.cf = cf, .why = &why}, files), 0, "%s", why.text);
    for (int year = FILES_YEAR_FIRST; year < FILES_YEAR_FIRST + FILES_YEARS; year++) {
        uint64_t expected = 0;
        for (int i = 0; i < TIMES; i++)
            expected += times[i].year == year;
        cr_expect_eq(files->years[year - FILES_YEAR_FIRST], expected, "%d", year);
    }
    cr_expect_eq(files->other_years, 3u);
    cr_expect_eq(files->no_time, 1u);
    report_files_finish(files);
    free(files);
    end();
}
