/* filetype: what libmagic says with the sieve is what it says without. */
#include "engine/scan/filetype.h"

#include "engine/scan/magic_entry.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char magic_file[] = "/usr/lib/file/magic.mgc";

enum { FILLED = 4096 };

struct pair {
    struct filetype *plain, *sieved;
    unsigned compared, known; /* contents, and those that are something */
};

static struct pair pair_open(enum filetype_detail detail)
{
    struct pair pair = {0};
    struct why why = {""};

    cr_assert_eq(filetype_open(magic_file, detail, false, &pair.plain, &why), 0, "%s", why.text);
    cr_assert_eq(filetype_open(magic_file, detail, true, &pair.sieved, &why), 0, "%s", why.text);
    return pair;
}

static void pair_close(struct pair *pair)
{
    filetype_close(pair->plain);
    filetype_close(pair->sieved);
}

static int ask(struct filetype *filetype, const void *data, size_t size, struct buf *into)
{
    struct why why = {""};
    struct buf description = {0};
    int rc = filetype_identify(filetype, data, size, into, &description, &why);

    buf_text(into, "|");
    buf_append(into, description.data, description.size);
    buf_finish(&description);
    return rc;
}

static void compare(struct pair *pair, const void *data, size_t size, const char *what)
{
    struct buf plain = {0}, sieved = {0};
    int wanted = ask(pair->plain, data, size, &plain), got = ask(pair->sieved, data, size, &sieved);

    cr_assert_eq(got, wanted, "%s: %d, and without the sieve %d", what, got, wanted);
    cr_assert_str_eq(buf_cstr(&sieved), buf_cstr(&plain), "%s", what);
    pair->compared++;
    pair->known += strncmp(buf_cstr(&plain), "application/octet-stream", 24) != 0 &&
                   strncmp(buf_cstr(&plain), "text/plain", 10) != 0;
    buf_finish(&plain);
    buf_finish(&sieved);
}

static uint8_t *read_file(const char *path, size_t *ret_size)
{
    struct stat status;
    FILE *file = fopen(path, "rb");

    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fstat(fileno(file), &status), 0);
    uint8_t *data = malloc((size_t)status.st_size + 1);

    *ret_size = fread(data, 1, (size_t)status.st_size, file);
    fclose(file);
    return data;
}

static void fill(uint8_t *into, const char *with)
{
    size_t length = strlen(with);

    for (size_t i = 0; i < FILLED; i++)
        into[i] = length == 0 ? 0 : (uint8_t)with[i % length];
}

/* A content for which this entry's test passes, or nearly so. */
static bool lay(const struct magic_entry *entry, uint8_t *into, bool upper)
{
    bool big;
    size_t size = magic_entry_number_size(entry, &big);
    size_t at = entry->offset < 0 ? 0 : (size_t)entry->offset;

    if (at + MAGIC_VALUE_MAX > FILLED)
        return false;
    for (size_t i = 0; i < size; i++)
        into[at + (big ? size - 1 - i : i)] = (uint8_t)(entry->number >> 8 * i);
    for (size_t i = 0; size == 0 && i < entry->value_size; i++)
        into[at + i] = upper && entry->value[i] >= 'a' && entry->value[i] <= 'z' ? entry->value[i] & 0xdf
                                                                                 : entry->value[i];
    return true;
}

/* Of every test of the magic file, contents that begin like what it knows. */
static void compare_all_tests(enum filetype_detail detail, unsigned step)
{
    static const char *const fillings[] = {"", "Plain words, in lines.\n",
                                           "\xe1\x83\x99\xe1\x83\x95\xe1\x83\x90 ", "\xff\xfe\x03\x80",
                                           "caf\xe9 \r\n"};
    struct pair pair = pair_open(detail);
    uint8_t content[FILLED];
    size_t size, count = 0;
    uint8_t *file = read_file(magic_file, &size);

    for (size_t at = MAGIC_ENTRY_SIZE; at + MAGIC_ENTRY_SIZE <= size; at += MAGIC_ENTRY_SIZE) {
        struct magic_entry entry;

        magic_entry_read(file + at, &entry);
        if (entry.level != 0 || count++ % step != 0)
            continue;
        for (size_t i = 0; i < sizeof fillings / sizeof fillings[0]; i++) {
            char what[64];

            snprintf(what, sizeof what, "the test at %zu, filling %zu", at / MAGIC_ENTRY_SIZE - 1, i);
            fill(content, fillings[i]);
            if (!lay(&entry, content, i % 2 == 1))
                break;
            compare(&pair, content, i == 4 ? FILLED / 2 : FILLED, what);
        }
    }
    cr_assert_gt(pair.compared, 100);
    cr_assert_gt(pair.known, pair.compared / 20, "%u of %u are known", pair.known, pair.compared);
    free(file);
    pair_close(&pair);
}

Test(filetype, what_a_test_knows_is_known_with_the_sieve, .timeout = 60)
{
    compare_all_tests(FILETYPE_TYPE, 29);
}

Test(filetype, descriptions_are_the_same_with_the_sieve, .timeout = 60)
{
    compare_all_tests(FILETYPE_FULL, 97);
}

Test(filetype, without_checks_of_text_it_is_the_same, .timeout = 60)
{
    compare_all_tests(FILETYPE_QUICK, 41);
}

/* What tests of text look for beyond given bytes. */
Test(filetype, texts_are_the_same_with_the_sieve, .timeout = 60)
{
    static const char *const texts[] = {
        "import os\nfrom re import sub\n\ndef kvali(a, b):\n    return a\n",
        "class Trace(object):\n    pass\n",
        "#include <stdio.h>\nint main(void)\n{\n    return 0;\n}\n",
        "#ifndef A\n#define A\nstruct a {\n    char *b;\n};\n#endif\n",
        "#include <string>\nclass A {\npublic:\n};\n",
        "package req;\nuse strict;\nmy $a = (1);\n",
        "=pod\n\n  =head1  NAME\n",
        "\n  =head1 NAME\n\ntext\n",
        "module Trace\n  def find\n  end\nend\n",
        "require 'trace'\n[1].each do\nend\n",
        "const a = require(\"b\");\n",
        "export default class A {}\n",
        "(defun kvali ()\n  (setq a 1))\n",
        "#! /usr/bin/env  python3\nprint()\n",
        "#!/bin/sh\necho\n",
        "<?php echo 1; ?>\n",
        "  <!DOCTYPE   html>\n<HTML><BODY>\n",
        "<!doctype  svg>\n<svg/>\n",
        "<html><head><title>x</title></head></html>\n",
        "C  a comment\n      PROGRAM X\n",
        "c comment\n      end\n",
        ".TH KVALI 1\n.SH NAME\n",
        "   .globl main\n   .text\n",
        "all: a\n\t$(CC)\nCFLAGS = -O2\n",
        "(;FF[4]GM[1]SZ[19])\n",
        "1\r\n00:00:01,000 --> 00:00:02,000\r\nText\r\n",
        "li:pcb-rnd-conf-v1 {\n}\n",
        "a\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\n",
        "begin 644 a.txt\nM3F]W(&ES('1H92!T:6UE(&9O<B!A;&P@9V]O9\"!M96X@=&\\@8V]M92!T;R!T\n",
        "\xef\xbb\xbfimport os\n",
        "// caf\xe9\nimport java.util.List;\nclass A { }\n",
        "\xe1\x83\x99\xe1\x83\x95\xe1\x83\x90\xe1\x83\x9a\xe1\x83\x98, import os, def a\n",
        "import os, and a character that is cut \xe1\x83",
        "import os, and what is no character \xff",
        "From: a@b.ge\nSubject: x\n\ntext\n",
        "diff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1 +1 @@\n",
        "{\"a\": [1, 2]}\n",
        "a,b,c\n1,2,3\n4,5,6\n7,8,9\n1,2,3\n4,5,6\n7,8,9\n1,2,3\n4,5,6\n7,8,9\n1,2,3\n",
    };
    struct pair pair = pair_open(FILETYPE_FULL);
    char content[FILLED];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t length = strlen(texts[i]);

        compare(&pair, texts[i], length, texts[i]);
        memset(content, 0, sizeof content); /* as slack is */
        memcpy(content, texts[i], length);
        compare(&pair, content, sizeof content, texts[i]);
        fill((uint8_t *)content, "Plain words, in lines.\n"); /* far behind the beginning */
        memcpy(content + sizeof content - length, texts[i], length);
        compare(&pair, content, sizeof content, texts[i]);
        for (size_t j = 0; j < length; j++) { /* in UTF-16, which libmagic turns into UTF-8 */
            content[2 * j + 2] = texts[i][j];
            content[2 * j + 3] = 0;
        }
        memcpy(content, "\xff\xfe", 2);
        compare(&pair, content, 2 * length + 2, texts[i]);
    }
    cr_assert_gt(pair.known, 40, "%u", pair.known);
    pair_close(&pair);
}

Test(filetype, short_contents_are_the_same_with_the_sieve)
{
    struct pair pair = pair_open(FILETYPE_FULL);

    compare(&pair, "", 0, "empty");
    for (unsigned byte = 0; byte < 256; byte += 5) {
        uint8_t content[3] = {(uint8_t)byte, (uint8_t)(255 - byte), (uint8_t)byte};

        for (size_t size = 1; size <= 3; size++)
            compare(&pair, content, size, "a short one");
    }
    pair_close(&pair);
}
