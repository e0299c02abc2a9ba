/* seal: what is sealed is found changed, and by whom it was signed is told; manifests take nothing that is
 * not one. */
#include "cases/seal.h"
#include "cases/verify.h"
#include "engine/base/when.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct case_world world;
static char keys[160], root[200], p12[200];

static void begin(void)
{
    struct why why = {{0}};
    world_make(&world);
    world_fill(&world, 3);
    world_run_end(&world);
    snprintf(keys, sizeof keys, "%s/keys", world.base);
    snprintf(root, sizeof root, "%s/lab-root.pem", keys);
    snprintf(p12, sizeof p12, "%s/examiner.p12", keys);
    cr_assert_eq(keys_make(keys, "Lab", "Examiner", "word", &why), 0, "%s", why.text);
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(seal, .init = begin, .fini = end);

static struct sign_key *open_key(void)
{
    struct sign_key *key = NULL;
    struct why why = {{0}};
    struct sign_source source = {.key = p12, .passphrase = "word"};
    cr_assert_eq(sign_key_open(&source, &key, &why), 0, "%s", why.text);
    return key;
}

static struct seal_written seal(void)
{
    struct why why = {{0}};
    struct seal_written written;
    struct sign_key *key = open_key();
    struct seal_options options = {.key = key, .gaps = 3, .now = when_now()};
    cr_assert_eq(seal_write(world.cf, &options, &written, &why), 0, "%s", why.text);
    sign_key_close(key);
    return written;
}

static void close_all(void)
{
    writer_free(world.writer);
    world.writer = NULL;
    casefile_close(world.cf);
    world.cf = NULL;
}

struct outcome {
    bool sound[VERIFY_STEPS];
    char words[VERIFY_STEPS][900];
    struct verify_result result;
};

static void step(void *context, enum verify_step number, bool sound, const char *words)
{
    struct outcome *outcome = context;
    outcome->sound[number] = sound;
    snprintf(outcome->words[number], sizeof outcome->words[number], "%s", words);
}

static struct outcome verify(void)
{
    struct outcome outcome = {0};
    struct why why = {{0}};
    struct seal_trust trust = {.ca = root};
    cr_assert_eq(case_verify(world.folder, &trust, step, &outcome, &outcome.result, &why), 0, "%s", why.text);
    return outcome;
}

static void expect_bad(enum verify_step bad, const char *words)
{
    struct outcome outcome = verify();
    cr_assert(!outcome.result.sound);
    cr_assert(!outcome.sound[bad], "%s does not see it", verify_step_name(bad));
    cr_assert(strstr(outcome.words[bad], words), "\"%s\" is not in \"%s\"", words, outcome.words[bad]);
}

static void flush_and_stop(void)
{
    world_flush(&world);
    writer_free(world.writer);
    world.writer = NULL;
}

static void change(const char *name, size_t from_end)
{
    size_t size;
    char *data = world_read(&world, name, &size);
    data[size - from_end] ^= 1;
    world_write(&world, name, data, size);
    free(data);
}

Test(seal, a_sealed_case_is_sound_and_tells_its_signer)
{
    flush_and_stop();
    struct seal_written written = seal();
    close_all();
    struct outcome outcome = verify();
    for (int i = 0; i < VERIFY_STEPS; i++)
        cr_expect(outcome.sound[i], "%s: %s", verify_step_name((enum verify_step)i), outcome.words[i]);
    cr_assert_eq(outcome.result.seals, 1u);
    cr_assert_eq(outcome.result.sealed_records, written.records);
    cr_assert_str_eq(outcome.result.seal, written.sha256);
    cr_assert(strstr(outcome.words[VERIFY_SIGNATURES], "CN=Examiner,O=Lab"));
    cr_assert_str_eq(written.who.algorithm, "ECDSA P-384");
}

Test(seal, each_changed_file_is_told_by_its_step)
{
    flush_and_stop();
    seal();
    close_all();
    static const struct {
        const char *name;
        size_t from_end;
        enum verify_step step;
        const char *words;
    } changes[] = {
        {"seals/0001.json", 20, VERIFY_SIGNATURES, "seal 1"},
        {"seals/0001.p7s", 5, VERIFY_SIGNATURES, "seal 1"},
        {"seals/0001.manifest", 5, VERIFY_SEALED, "its manifest is not the one"},
        {"seals/0001.sql", 5, VERIFY_SEALED, "seals/0001.sql: it was changed since seal 1"},
        {"VERIFY.txt", 5, VERIFY_SEALED, "VERIFY.txt: it was changed since seal 1"},
        {"case.db", 1, VERIFY_SEALED, "case.db: it was changed since seal 1"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        change(changes[i].name, changes[i].from_end);
        expect_bad(changes[i].step, changes[i].words);
        change(changes[i].name, changes[i].from_end);
    }
    cr_assert(verify().result.sound);
}

Test(seal, the_next_one_covers_the_one_before)
{
    struct why why = {{0}};
    flush_and_stop();
    seal();
    close_all();
    cr_assert_eq(casefile_open(world.folder, CASEFILE_WRITE, &world.cf, &why), 0, "%s", why.text);
    cr_assert_eq(ledger_append(casefile_ledger(world.cf), "discard", "{}", &why), 0);
    struct seal_written second = seal();
    close_all();
    cr_assert_eq(second.number, 2u);
    cr_assert(verify().result.sound);
    change("seals/0001.p7s", 5);
    expect_bad(VERIFY_SEALED, "seals/0001.p7s: it was changed since seal 2");
    change("seals/0001.p7s", 5);
    char path[200];
    snprintf(path, sizeof path, "%s/seals/0001.json", world.folder);
    cr_assert_eq(unlink(path), 0);
    expect_bad(VERIFY_SEALS, "seal 2 is there, and seal 1 is missing");
}

Test(seal, a_wrong_passphrase_opens_nothing)
{
    struct sign_key *key = NULL;
    struct why why = {{0}};
    struct sign_source source = {.key = p12, .passphrase = "another"};
    cr_assert_eq(sign_key_open(&source, &key, &why), -EKEYREJECTED);
    cr_assert(strstr(why.text, "passphrase"));
    cr_assert_null(key);
}

Test(seal, a_signature_holds_for_its_data_alone)
{
    struct sign_key *key = open_key();
    struct buf der = {0};
    struct sign_who who;
    struct why why = {{0}};
    cr_assert_eq(sign_data(key, "abc", 3, &der, &why), 0, "%s", why.text);
    cr_assert_eq(sign_check("abc", 3, der.data, der.size, root, WHEN_NONE, &who, &why), 0, "%s", why.text);
    cr_assert_eq(sign_check("abd", 3, der.data, der.size, root, WHEN_NONE, &who, &why), -EKEYREJECTED);
    cr_assert_eq(sign_check("abc", 3, der.data, der.size - 1, root, WHEN_NONE, &who, &why), -EKEYREJECTED);
    cr_assert_eq(sign_check("abc", 3, "", 0, root, WHEN_NONE, &who, &why), -EKEYREJECTED);
    /* Twenty years on the certificate is not valid any more. */
    int64_t later = when_now() + INT64_C(20) * 365 * 86400 * 1000000000;
    cr_assert_eq(sign_check("abc", 3, der.data, der.size, root, later, &who, &why), -EKEYREJECTED);
    buf_finish(&der);
    sign_key_close(key);
}

Test(seal, a_manifest_is_taken_only_in_its_own_form)
{
#define H "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const struct {
        const char *text;
        bool good;
    } manifests[] = {
        {H "  a\n" H "  b/c\n", true},
        {"", true},
        {H "  b\n" H "  a\n", false},
        {H "  a\n" H "  a\n", false},
        {H " a\n", false},
        {H "  a", false},
        {H "  /etc/passwd\n", false},
        {H "  ../x\n", false},
        {"x" H "  a\n", false},
        {H "  a\\b\n", false},
        {H "  \n", false},
    };
    char folder[200];
    snprintf(folder, sizeof folder, "%s/seals", world.folder);
    cr_assert_eq(mkdir(folder, 0700), 0);
    for (size_t i = 0; i < sizeof manifests / sizeof *manifests; i++) {
        struct manifest manifest = {0};
        struct why why = {{0}};
        world_write(&world, "seals/0001.manifest", manifests[i].text, strlen(manifests[i].text));
        int code = manifest_read(world.folder, 1, &manifest, &why);
        cr_assert_eq(code, manifests[i].good ? 0 : -EUCLEAN, "%zu: %s", i, why.text);
        if (code == 0 && manifest.count)
            cr_assert_not_null(manifest_find(&manifest, "b/c"));
        manifest_finish(&manifest);
    }
}

Test(seal, a_link_in_the_folder_is_no_file_of_a_case)
{
    struct manifest manifest = {0};
    struct why why = {{0}};
    char path[200];
    snprintf(path, sizeof path, "%s/reports/link", world.folder);
    cr_assert_eq(symlink("/etc/passwd", path), 0);
    cr_assert_eq(manifest_make(world.folder, 1, &manifest, &why), -ELOOP);
    cr_assert(strstr(why.text, "reports/link"));
}
