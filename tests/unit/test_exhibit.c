/* exhibit: labels are the investigator's, and an image is what somebody stored that it is, or the case says
 * not. */
#include "cases/casefile.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct case_world world;

static void begin(void)
{
    world_make(&world);
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(exhibit, .init = begin, .fini = end);

static int add(const char *label, const char *path, uint64_t *ret_id)
{
    struct why why = {{0}};
    return casefile_add_exhibit(world.cf, label, path, "auto", ret_id, &why);
}

Test(exhibit, the_same_label_and_path_are_the_same_exhibit_and_stand_in_the_ledger_once)
{
    uint64_t id = 0, again = 0;
    uint64_t before = ledger_count(casefile_ledger(world.cf));
    world_flush(&world);
    cr_assert_eq(add("EX-2", "/srv/b.raw", &id), 0);
    cr_assert_eq(add("EX-2", "/srv/b.raw", &again), 0);
    cr_assert_eq(id, again);
    cr_assert_neq(id, world.exhibit);
    cr_assert_eq(ledger_count(casefile_ledger(world.cf)), before + 1);
}

Test(exhibit, the_same_label_with_another_path_is_refused)
{
    uint64_t id = 77;
    uint64_t before = ledger_count(casefile_ledger(world.cf));
    cr_assert_eq(add("EX-1", "/srv/other.E01", &id), -EEXIST);
    cr_assert_eq(id, 77u, "outputs are untouched on failure");
    cr_assert_eq(ledger_count(casefile_ledger(world.cf)), before);
}

Test(exhibit, a_path_that_is_no_utf8_is_kept_to_the_byte)
{
    uint64_t id;
    world_flush(&world);
    cr_assert_eq(add("EX-9", "/srv/\xff\xfe.raw", &id), 0);
    struct exhibit *exhibits = NULL;
    size_t count = 0;
    cr_assert_eq(casefile_exhibits(world.cf, &exhibits, &count), 0);
    cr_assert_eq(count, 2u);
    cr_assert_str_eq(exhibits[0].label, "EX-1");
    cr_assert_str_eq(exhibits[1].path, "/srv/\xff\xfe.raw");
    cr_assert(!exhibits[1].opened);
    exhibits_free(exhibits, count);
    char *ledger = world_read(&world, "ledger.jsonl", NULL);
    cr_assert(strstr(ledger, "2f7372762ffffe2e726177"), "the ledger has the bytes in hex");
    free(ledger);
}

/* ------------------------------------------------------------------ verification */

static struct writer_image image_of(void)
{
    return (struct writer_image){.type = "ewf",
                                 .details = "",
                                 .unsupported = "",
                                 .damage = "",
                                 .name = "disk.E01",
                                 .size = 10,
                                 .sector_size = 512,
                                 .segments = 1};
}

/* Opens the exhibit with one stored hash (or none), reads it with hashes of 0xab, `unread` bytes unreadable.
 */
static const char *verify(const char *algorithm, const char *hex, uint64_t unread)
{
    struct writer_image image = image_of();
    struct why why = {{0}};
    uint8_t bytes[32];
    if (algorithm) {
        image.hash_count = 1;
        image.hashes[0][0] = algorithm;
        image.hashes[0][1] = hex;
        image.hashes[0][2] = "E01 hash section";
    }
    cr_assert_eq(writer_image(world.writer, world.exhibit, &image), 0);
    uint64_t expand = world_expand(&world, 1, "volumes");
    struct found_entry entry = world_entry_of("disk.E01", "image");
    entry.kind = STREAM_IMAGE;
    cr_assert_eq(writer_entry(world.writer, expand, world.exhibit, &entry), 0);
    uint64_t stream = (uint64_t)world_number(&world, "SELECT id FROM t_stream WHERE locator = 'image'");
    world_flush(&world);
    cr_assert_eq(casefile_verify_image(world.cf, world.exhibit, &why), 0);
    cr_assert_eq(world_number(&world, "SELECT verification IS NULL FROM exhibit"), 1,
                 "not before it was read");
    uint64_t scan = world_scan(&world, 1, stream);
    memset(bytes, 0xab, sizeof bytes);
    struct value values[] = {value_bytes(bytes, 16), value_bytes(bytes, 20), value_bytes(bytes, 32),
                             value_bytes(bytes, 16), value_u64(10),          value_u64(unread)};
    cr_assert_eq(writer_record(world.writer, scan, stream, WORLD_DIGEST, 0, 0, values), 0);
    world_end(&world, scan, unread ? ATTEMPT_PARTIAL : ATTEMPT_DONE);
    world_flush(&world);
    uint64_t before = ledger_count(casefile_ledger(world.cf));
    cr_assert_eq(casefile_verify_image(world.cf, world.exhibit, &why), 0, "%s", why.text);
    cr_assert_eq(casefile_verify_image(world.cf, world.exhibit, &why), 0, "%s", why.text);
    cr_assert_eq(ledger_count(casefile_ledger(world.cf)), before + 1, "told once");
    return world_text(&world, "SELECT verification FROM exhibit");
}

#define AB16 "abababababababababababababababab"

Test(exhibit, a_stored_hash_that_the_image_has_is_a_match)
{
    cr_assert_str_eq(verify("md5", AB16, 0), "match");
    cr_assert_str_eq(world_text(&world, "SELECT result FROM image_hash"), "match");
    cr_assert_str_eq(world_text(&world, "SELECT md5 FROM exhibit"), AB16);
}

Test(exhibit, a_stored_hash_that_it_has_not_is_a_mismatch)
{
    cr_assert_str_eq(verify("sha1", "0000000000000000000000000000000000000000", 0), "mismatch");
    char *ledger = world_read(&world, "ledger.jsonl", NULL);
    cr_assert(strstr(ledger, "\"result\":\"mismatch\""));
    free(ledger);
}

Test(exhibit, hashes_in_capitals_are_the_same_hashes)
{
    cr_assert_str_eq(verify("md5", "ABABABABABABABABABABABABABABABAB", 0), "match");
}

Test(exhibit, without_a_stored_hash_there_is_nothing_to_say)
{
    cr_assert_str_eq(verify(NULL, NULL, 0), "nothing-stored");
}

Test(exhibit, a_hash_over_bytes_that_could_not_be_read_is_partial)
{
    cr_assert_str_eq(verify("md5", "00000000000000000000000000000000", 4), "partial");
}

Test(exhibit, a_hash_of_an_algorithm_that_was_not_computed_is_not_compared)
{
    cr_assert_str_eq(verify("crc32", "deadbeef", 0), "nothing-stored");
    cr_assert_str_eq(world_text(&world, "SELECT result FROM image_hash"), "not-compared");
}

Test(exhibit, an_image_that_could_not_be_opened_is_a_fault_until_it_can)
{
    struct writer_image image = image_of();
    cr_assert_eq(writer_image_failed(world.writer, world.exhibit, "/srv/disk.E01: no such file"), 0);
    cr_assert_eq(
        world_number(&world, "SELECT count(*) FROM fault WHERE kind = 'unreadable' AND stage = 'open'"), 1);
    cr_assert_eq(writer_image(world.writer, world.exhibit, &image), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault"), 0);
}

Test(exhibit, damage_of_the_medium_is_told_once)
{
    struct writer_image image = image_of();
    image.damage = "segment 2 is missing";
    cr_assert_eq(writer_image(world.writer, world.exhibit, &image), 0);
    cr_assert_eq(writer_image(world.writer, world.exhibit, &image), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault"), 1);
}
