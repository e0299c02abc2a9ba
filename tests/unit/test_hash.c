/*
 * test_hash: known answers, and the same answer however the data arrives.
 *
 * Known answers: RFC 1321 A.5, FIPS 180-4's examples (NIST CSRC), and for XXH3-128 what `xxhsum -H2` prints.
 */
#include "engine/base/hash.h"

#include "engine/base/hash_blocks.h"
#include "engine/base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void setup(void)
{
    cr_assert_eq(hash_setup(), 0);
}

TestSuite(hash, .init = setup);

static const char *hex(const uint8_t *digest, size_t size)
{
    static struct buf buf;

    buf_clear(&buf);
    text_hex(&buf, digest, size);
    return buf_cstr(&buf);
}

static struct hash_set all_of(const void *data, size_t size)
{
    struct hash_all *hash = hash_all_new();
    struct hash_set set;

    cr_assert_not_null(hash);
    hash_all_update(hash, data, size);
    hash_all_final(hash, &set);
    hash_all_free(hash);
    return set;
}

static void assert_same(const struct hash_set *a, const struct hash_set *b, size_t piece)
{
    cr_assert_arr_eq(a->md5, b->md5, MD5_SIZE, "md5 in pieces of %zu", piece);
    cr_assert_arr_eq(a->sha1, b->sha1, SHA1_SIZE, "sha1 in pieces of %zu", piece);
    cr_assert_arr_eq(a->sha256, b->sha256, SHA256_SIZE, "sha256 in pieces of %zu", piece);
    cr_assert_arr_eq(a->xxh3, b->xxh3, XXH3_SIZE, "xxh3 in pieces of %zu", piece);
}

Test(hash, nothing_at_all_has_the_known_digests)
{
    struct hash_set set = all_of(NULL, 0);

    cr_assert_str_eq(hex(set.md5, MD5_SIZE), "d41d8cd98f00b204e9800998ecf8427e");
    cr_assert_str_eq(hex(set.sha1, SHA1_SIZE), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    cr_assert_str_eq(hex(set.sha256, SHA256_SIZE),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_assert_str_eq(hex(set.xxh3, XXH3_SIZE), "99aa06d3014798d86001c324468d497f");
}

Test(hash, abc_has_the_known_digests)
{
    struct hash_set set = all_of("abc", 3);

    cr_assert_str_eq(hex(set.md5, MD5_SIZE), "900150983cd24fb0d6963f7d28e17f72");
    cr_assert_str_eq(hex(set.sha1, SHA1_SIZE), "a9993e364706816aba3e25717850c26c9cd0d89d");
    cr_assert_str_eq(hex(set.sha256, SHA256_SIZE),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_assert_str_eq(hex(set.xxh3, XXH3_SIZE), "06b05ab6733a618578af5f94892f3950");
}

Test(hash, the_size_of_the_pieces_does_not_matter)
{
    static uint8_t data[100003];
    static const size_t pieces[] = {1, 61, 4096, 16384, 16385, 50000};
    struct hash_all *hash = hash_all_new();
    struct hash_set whole, set;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 2654435761U >> 13);
    whole = all_of(data, sizeof data);
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        hash_all_reset(hash);
        for (size_t at = 0; at < sizeof data; at += pieces[p])
            hash_all_update(hash, data + at, at + pieces[p] < sizeof data ? pieces[p] : sizeof data - at);
        hash_all_final(hash, &set);
        assert_same(&whole, &set, pieces[p]);
    }
    hash_all_free(hash);
}

/* Where the processor has no instructions for it, both are libcrypto. Where it has, the loop passed its own check, else nobody
 * would see that it is never used. */
Test(hash, together_is_what_libcrypto_gives_at_every_size_and_place)
{
    static uint8_t data[4096 + 320];
    hash_blocks_fn *together = hash_together;
    struct hash_set mine, theirs;

    cr_assert_eq(together, hash_blocks());

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 2654435761U >> 11);
    for (size_t size = 0; size <= 4096; size += size < 320 ? 1 : 59) {
        const uint8_t *from = data + size % 67;

        hash_together = together;
        mine = all_of(from, size);
        hash_together = NULL;
        theirs = all_of(from, size);
        assert_same(&mine, &theirs, size);
    }
    hash_together = together;
}

Test(hash, a_reset_forgets_what_came_before_even_in_the_middle)
{
    struct hash_all *hash = hash_all_new();
    struct hash_set fresh = all_of("abc", 3), set;

    hash_all_update(hash, "zzz", 3);
    hash_all_reset(hash);
    hash_all_update(hash, "abc", 3);
    hash_all_final(hash, &set);
    assert_same(&fresh, &set, 3);
    hash_all_free(hash);
}

Test(hash, sha256_alone_agrees_and_starts_anew_after_its_end)
{
    struct hash_sha256 *hash = hash_sha256_new();
    struct hash_set set = all_of("abc", 3);
    uint8_t digest[SHA256_SIZE];

    for (int round = 0; round < 2; round++) {
        hash_sha256_update(hash, "a", 1);
        hash_sha256_update(hash, "bc", 2);
        hash_sha256_update(hash, NULL, 0);
        hash_sha256_final(hash, digest);
        cr_assert_arr_eq(digest, set.sha256, SHA256_SIZE, "round %d", round);
    }
    hash_sha256_free(hash);
}

Test(hash, sha256_of_memory_is_64_digits)
{
    char text[SHA256_HEX_SIZE];

    hash_sha256_hex("abc", 3, text);
    cr_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_sha256_hex(NULL, 0, text);
    cr_assert_str_eq(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(hash, sha256_of_a_file_is_that_of_its_bytes)
{
    static uint8_t data[200001];
    char path[] = "/tmp/test_hash.XXXXXX", want[SHA256_HEX_SIZE], got[SHA256_HEX_SIZE];
    int fd = mkstemp(path);

    memset(data, 'k', sizeof data);
    cr_assert_eq(write(fd, data, sizeof data), (ssize_t)sizeof data);
    close(fd);
    hash_sha256_hex(data, sizeof data, want);
    cr_assert_eq(hash_sha256_file(path, got), 0);
    unlink(path);
    cr_assert_str_eq(got, want);
}

Test(hash, a_file_that_cannot_be_read_is_an_error_and_leaves_the_output_alone)
{
    char text[SHA256_HEX_SIZE] = "untouched";

    cr_assert_eq(hash_sha256_file("/nonexistent/file", text), -ENOENT);
    cr_assert_eq(hash_sha256_file("/", text), -EISDIR);
    cr_assert_str_eq(text, "untouched");
}

Test(hash, setting_up_again_is_allowed)
{
    cr_assert_eq(hash_setup(), 0);
    cr_assert_eq(hash_setup(), 0);
}

Test(hash, freeing_nothing_is_allowed)
{
    hash_all_free(NULL);
    hash_sha256_free(NULL);
}

Test(hash, the_versions_name_library_and_number)
{
    int major, minor, patch;

    cr_assert_eq(sscanf(hash_version_crypto(), "libcrypto %d.%d.%d", &major, &minor, &patch), 3);
    cr_assert_eq(sscanf(hash_version_xxhash(), "xxHash %d.%d.%d", &major, &minor, &patch), 3);
}
