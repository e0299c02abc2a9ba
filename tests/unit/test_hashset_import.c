/* The importers: of a sample of each format every row is found by all its hashes, and what is no set is
 * refused. */
#include "cases/hashsets/import.h"
#include "cases/hashsets/store.h"

#include "cases/db.h"
#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MD5_A    "d41d8cd98f00b204e9800998ecf8427e"
#define MD5_B    "900150983cd24fb0d6963f7d28e17f72"
#define SHA1_A   "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA1_B   "a9993e364706816aba3e25717850c26c9cd0d89d"
#define SHA256_A "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256_B "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char folder[] = "/tmp/kvali-import-XXXXXX";
static char source[64], set_path[64];
static struct why why;

static void set_up(void)
{
    cr_assert_eq(hash_setup(), 0);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(source, sizeof source, "%s/source", folder);
    snprintf(set_path, sizeof set_path, "%s/set.kvset", folder);
}

static void tear_down(void)
{
    (void)unlink(source);
    (void)unlink(set_path);
    cr_expect_eq(rmdir(folder), 0, "something is left behind");
}

TestSuite(hashset_import, .init = set_up, .fini = tear_down);

static void put(const void *data, size_t size)
{
    FILE *file = fopen(source, "w");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

static int import(struct import_result *ret)
{
    struct import_options options = {
        .path = set_path, .name = "set", .kind = HASHSET_ALERT, .replace = true, .memory = 1};
    const char *paths[] = {source};
    uint64_t lost = 0;

    why.text[0] = '\0';
    return import_files(&options, paths, 1, ret, &lost, &why);
}

static struct import_result imported(const char *text, const char *format)
{
    struct import_result result;

    put(text, strlen(text));
    cr_assert_eq(import(&result), 0, "%s", why.text);
    cr_expect_str_eq(result.format, format);
    return result;
}

/* The entries of a hash, the first into *ret with its line; 0: not there. */
static int64_t look(const char *hex, uint64_t *ret_line, char *ret_words)
{
    enum hashset_algorithm algorithm = hashset_algorithm_of(strlen(hex) / 2);
    uint8_t key[HASHSET_KEY_MAX];
    struct hashset_entry entry;
    struct hashset *set;
    uint64_t first;
    int64_t found;

    cr_assert_eq(hashset_open(set_path, &set, &why), 0, "%s", why.text);
    cr_assert(text_unhex(hex, key, strlen(hex) / 2));
    found = hashset_find(set, algorithm, key, &first);
    if (found > 0) {
        cr_assert(hashset_entry(set, algorithm, first, &entry));
        cr_assert_not_null(hashset_row_source(set, entry.row, ret_line).name);
        sprintf(ret_words, "%.*s|%.*s|%.*s", (int)entry.category_size, entry.category ? entry.category : "",
                (int)entry.series_size, entry.series ? entry.series : "", (int)entry.tags_size,
                entry.tags ? entry.tags : "");
    }
    hashset_close(set);
    return found;
}

static void has(const char *hex, uint64_t line, const char *words)
{
    char got[256] = "";
    uint64_t at = 0;

    cr_expect_eq(look(hex, &at, got), 1, "%s is not found once", hex);
    cr_expect_eq(at, line, "%s: line %llu", hex, (unsigned long long)at);
    cr_expect_str_eq(got, words);
}

static void refused(const char *text, const char *reason)
{
    struct import_result result;

    put(text, strlen(text));
    cr_expect_eq(import(&result), -EBADMSG);
    cr_expect_not_null(strstr(why.text, reason), "%s", why.text);
    cr_expect_not_null(strstr(why.text, source), "%s", why.text);
    cr_expect_neq(access(set_path, F_OK), 0);
}

Test(hashset_import, nsrl_v2)
{
    struct import_result result =
        imported("\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\",\"FileSize\",\"ProductCode\",\"OpSystemCode\","
                 "\"SpecialCode\"\r\n"
                 "\"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709\",\"D41D8CD98F00B204E9800998ECF8427E\",\"0\","
                 "\"a\",0,1,\"WIN\",\"\"\r\n"
                 "\"" SHA1_B "\",\"" MD5_B "\",\"0\",\"b\"\",\"\",c\",0,1,\"WIN\",\"\"\r\n"
                 "\"no hash\"\r\n",
                 "NSRL RDS v2");

    cr_expect_eq(result.rows, 2);
    cr_expect_eq(result.bad, 1);
    cr_expect_eq(result.first_bad, 4);
    has(SHA1_A, 2, "||");
    has(MD5_A, 2, "||");
    has(SHA1_B, 3, "||");
    has(MD5_B, 3, "||");
}

Test(hashset_import, nsrl_v1)
{
    imported("\"SHA-1\",\"FileName\",\"FileSize\",\"ProductCode\",\"OpSystemCode\",\"MD4\",\"MD5\",\"CRC32\","
             "\"SpecialCode\"\n"
             "\"" SHA1_A "\",\"a, b\",0,1,\"WIN\",\"" MD5_B "\",\"" MD5_A "\",\"0\",\"\"\n",
             "NSRL RDS v1");
    has(SHA1_A, 2, "||");
    has(MD5_A, 2, "||");
    cr_expect_eq(look(MD5_B, &(uint64_t){0}, (char[256]){0}), 0, "an MD4 was taken for an MD5");
}

static void database(const char *sql)
{
    struct db *db;

    cr_assert_eq(db_open(source, DB_CREATE, &db, &why), 0, "%s", why.text);
    cr_assert_eq(db_exec(db, sql), 0);
    cr_assert_eq(db_exec(db, "PRAGMA journal_mode = DELETE"), 0);
    db_close(db);
}

Test(hashset_import, nsrl_v3_full_and_minimal)
{
    struct import_result result;

    database("CREATE TABLE METADATA(sha256 TEXT, sha1 TEXT, md5 TEXT, file_name TEXT, package_id INTEGER);"
             "CREATE VIEW FILE AS SELECT sha256, sha1, md5, file_name, package_id FROM METADATA;"
             "INSERT INTO METADATA VALUES('" SHA256_A "', '" SHA1_A "', upper('" MD5_A
             "'), 'a', 1), (NULL, '" SHA1_B "', '" MD5_B "', 'b', 1)");
    cr_assert_eq(import(&result), 0, "%s", why.text);
    cr_expect_str_eq(result.format, "SQLite");
    has(SHA256_A, 1, "||");
    has(SHA1_A, 1, "||");
    has(MD5_A, 1, "||");
    has(SHA1_B, 2, "||");
    has(MD5_B, 2, "||");
}

Test(hashset_import, the_sleuth_kits_database)
{
    struct import_result result;

    database("CREATE TABLE hashes(id INTEGER PRIMARY KEY, md5 BINARY(16) UNIQUE, sha1 BINARY(20), sha2_256 "
             "BINARY(32));"
             "INSERT INTO hashes VALUES(1, x'" MD5_A "', NULL, NULL), (2, x'" MD5_B "', x'" SHA1_B
             "', x'" SHA256_B "')");
    cr_assert_eq(import(&result), 0, "%s", why.text);
    has(MD5_A, 1, "||");
    has(MD5_B, 2, "||");
    has(SHA1_B, 2, "||");
    has(SHA256_B, 2, "||");
}

Test(hashset_import, hashdeep)
{
    imported("%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /x\n##\n"
             "0," MD5_A "," SHA256_A ",/x/a,b\n3," MD5_B "," SHA256_B ",/x/c\n",
             "hashdeep");
    has(MD5_A, 5, "||");
    has(SHA256_A, 5, "||");
    has(MD5_B, 6, "||");
    has(SHA256_B, 6, "||");
}

Test(hashset_import, lists_of_every_kind_in_one_file)
{
    imported("# ours\n" MD5_A "  a file\n" SHA1_A " *b\n\\" SHA256_A "  c\\nd\n"
             "MD5 (a (1).txt) = " MD5_B "\nSHA1 (x) = " SHA1_B "\r\n" SHA256_B,
             "list of hashes");
    has(MD5_A, 2, "||");
    has(SHA1_A, 3, "||");
    has(SHA256_A, 4, "||");
    has(MD5_B, 5, "||");
    has(SHA1_B, 6, "||");
    has(SHA256_B, 7, "||");
}

Test(hashset_import, csv_with_a_head)
{
    struct import_result result = imported("\xef\xbb\xbfName;MD5;Sha-256;Category\n\"a\nb\";" MD5_A
                                           ";;\"one; \"\"two\"\"\"\nc;;" SHA256_B ";3\nd;1234;;\n",
                                           "CSV");

    has(MD5_A, 2, "one; \"two\"||");
    has(SHA256_B, 4, "3||");
    cr_expect_eq(result.bad, 1);
    cr_expect_eq(result.first_bad, 5);
}

Test(hashset_import, hashkeeper)
{
    imported("\"file_id\",\"hashset_id\",\"file_name\",\"directory\",\"hash\",\"file_size\",\"date_"
             "modified\",\"time_modified\","
             "\"time_zone\",\"comments\",\"date_accessed\",\"time_accessed\"\n1,2,\"a\",\"C:\\\",\"" MD5_A
             "\",0,,,,,,\n",
             "HashKeeper");
    has(MD5_A, 2, "||");
}

Test(hashset_import, icse_csv)
{
    imported("MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series "
             "name;Number of "
             "submissions;File Available;Media Type;Baseline\n" MD5_A ";" SHA1_A
             ";x;1;Yes;No;true;Alpha;3;1;Image;Yes\n",
             "ICSE CSV");
    has(MD5_A, 2, "Yes|Alpha|distributed, offender identified");
    has(SHA1_A, 2, "Yes|Alpha|distributed, offender identified");
}

Test(hashset_import, encase)
{
    static uint8_t file[1152 + 2 * 18];
    struct import_result result;

    memcpy(file, "HASH\r\n\xff\0", 8);
    file[16] = 2;
    text_unhex(MD5_A, file + 1152, 16);
    text_unhex(MD5_B, file + 1170, 16);
    put(file, sizeof file);
    cr_assert_eq(import(&result), 0, "%s", why.text);
    has(MD5_A, 1, "||");
    has(MD5_B, 2, "||");
    (void)unlink(set_path);
    put(file, sizeof file - 1);
    cr_expect_eq(import(&result), -EBADMSG);
    cr_expect_not_null(strstr(why.text, "cut short"));
}

#define VICS_13                                                                                              \
    "{\"odata.metadata\":\"http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media\",\"value\":["
#define VICS_20                                                                                              \
    "{\"@odata.context\":\"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/Default/"           \
    "$metadata#Media\", \"value\" : [\n"

Test(hashset_import, vics_1_3)
{
    imported(VICS_13
             "{\"MediaID\":1,\"Category\":1,\"VictimIdentified\":true,\"OffenderIdentified\":false,"
             "\"IsDistributed\":null,"
             "\"Series\":\"\\u10d0lpha\",\"MD5\":\"D41D8CD98F00B204E9800998ECF8427E\",\"SHA1\":\"" SHA1_A
             "\",\"MediaFiles\":[{\"FileName\":\"x\",\"MD5\":\"ffffffffffffffffffffffffffffffff\"}],\"Tags\":"
             "[\"a\",\"b\"]},"
             "{\"MediaID\":2,\"Category\":2,\"MD5\":\"" MD5_B "\"}]}",
             "VICS JSON");
    has(MD5_A, 1, "1|\u10d0lpha|victim identified, a, b");
    has(SHA1_A, 1, "1|\u10d0lpha|victim identified, a, b");
    has(MD5_B, 2, "2||");
    cr_expect_eq(look("ffffffffffffffffffffffffffffffff", &(uint64_t){0}, (char[256]){0}), 0,
                 "a file's own hash was taken");
}

Test(hashset_import, vics_2_0_and_an_array_alone)
{
    imported(VICS_20 "{\"Category\":0,\"MD5\":\"" MD5_A
                     "\",\"AlternativeHashes\":[{\"HashName\":\"SHA-256\",\"HashValue\":\"" SHA256_A
                     "\"},{\"HashName\":\"PhotoDNA\",\"HashValue\":\"AAAA\"}]}]}\n",
             "VICS JSON");
    has(MD5_A, 1, "0||");
    has(SHA256_A, 1, "0||");
    (void)unlink(set_path);
    imported("[{\"MD5\":\"" MD5_B "\"}]", "VICS JSON");
    has(MD5_B, 1, "||");
}

Test(hashset_import, what_is_no_set_is_refused_with_the_reason_and_leaves_nothing)
{
    refused("", "empty");
    refused("hello\nworld\n", "no format");
    refused("\xff\xfeM\0D\0", "UTF-16");
    refused("kvaliset....", "already");
    refused("INSERT INTO FILE VALUES(1);\n", "sqlite3");
    refused(VICS_13 "{\"MD5\":\"" MD5_A "\"}", "cut short");
    refused("{\"value\":[{\"MD5\":\"\\q\"}]}", "escape");
    refused("MD5,name\n" MD5_A ",\"never closed\n", "never closed");
    refused("MD5,name\nx,y\n", "not one hash");
    refused("%%%% HASHDEEP-1.0\n", "not one hash");
}

Test(hashset_import, a_line_without_end_is_refused)
{
    struct import_result result;
    size_t size = 6 << 20;
    char *text = malloc(size);

    memset(text, 'a', size);
    memcpy(text, MD5_A "\n", 33);
    put(text, size);
    cr_expect_eq(import(&result), -EBADMSG);
    cr_expect_not_null(strstr(why.text, "longer than 1 MiB"), "%s", why.text);
    free(text);
}

Test(hashset_import, lines_across_blocks_are_whole)
{
    enum { LINES = 300000 };
    struct buf text = {0};
    struct import_result result;
    char hex[64];

    for (unsigned i = 0; i < LINES; i++)
        buf_printf(&text, "%032x  a name of some length %u\n", i * 2654435761U, i);
    put(text.data, text.size);
    buf_finish(&text);
    cr_assert_eq(import(&result), 0, "%s", why.text);
    cr_expect_eq(result.rows, LINES);
    cr_expect_eq(result.bad, 0);
    for (unsigned i = 0; i < LINES; i += 9973) {
        snprintf(hex, sizeof hex, "%032x", i * 2654435761U);
        has(hex, i + 1, "||");
    }
}

static int stop_soon(void *context, const struct import_progress *progress)
{
    (void)context, (void)progress;
    return -EINTR;
}

Test(hashset_import, a_stopped_import_leaves_nothing)
{
    struct import_options options = {
        .path = set_path, .name = "set", .kind = HASHSET_KNOWN, .each = stop_soon};
    struct import_result result;
    const char *paths[] = {source};
    uint64_t lost;

    put(MD5_A "\n", 33);
    cr_expect_eq(import_files(&options, paths, 1, &result, &lost, &why), -EINTR);
    cr_expect_neq(access(set_path, F_OK), 0);
}

Test(hashset_import, names_of_sets_are_names_of_files)
{
    cr_expect(store_name_is_valid("NSRL-2026.1"));
    cr_expect(store_name_is_valid("ცნობილი"));
    cr_expect_not(store_name_is_valid(""));
    cr_expect_not(store_name_is_valid(".hidden"));
    cr_expect_not(store_name_is_valid("a/b"));
    cr_expect_not(store_name_is_valid("a:b"));
}
