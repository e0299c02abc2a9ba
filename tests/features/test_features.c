/* Features: every vector judged right, near-misses refused, nothing lost where pieces and blocks meet. */
#include "plugins/features/search.h"

#include "engine/base/buf.h"
#include "engine/plugin.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void setup_loaded(const char *plugin, const char *kind, const char *name, const char *sha256, uint64_t count,
                  const char *problem)
{
    (void)plugin, (void)kind, (void)name, (void)sha256, (void)count;
    cr_assert(problem == NULL);
}

static struct search *search;

static void open_search(void)
{
    struct why why = {""};
    char *folder;

    cr_assert(asprintf(&folder, "%s/rules/features", getenv("KVALI_SOURCE")) > 0);
    cr_assert(search_new(folder, &search, &why) == 0, "%s", why.text);
    free(folder);
}

static void close_search(void)
{
    search_free(search);
}

struct seen {
    struct buf lines; /* "offset kind rank normal" */
};

static int on_each(void *context, const struct occurrence *o)
{
    struct seen *seen = context;

    buf_printf(&seen->lines, "%llu %s %s %.*s\n", (unsigned long long)o->offset, feature_kind_name(o->kind),
               feature_rank_name(o->rank), (int)o->normal_size, (const char *)o->normal);
    return 0;
}

static void look(const uint8_t *data, size_t size, size_t from, size_t to, uint64_t offset, struct seen *seen)
{
    const struct piece piece = {data, size, from, to, offset};

    cr_assert(search_piece(search, &piece, on_each, seen) == 0);
}

static bool finds(const char *text, const char *line)
{
    struct seen seen = {.lines = {0}};
    bool found;

    look((const uint8_t *)text, strlen(text), 0, strlen(text), 0, &seen);
    found = strstr(buf_cstr(&seen.lines), line) != NULL;
    buf_finish(&seen.lines);
    return found;
}

/* ------------------------------------------------------------------ vectors */

static const struct {
    const char *name, *kind, *rank, *around; /* the value comes for %s */
} judged[] = {
    {"mrz_td3", "mrz", "checksum", "%s"},
    {"mrz_td2", "mrz", "checksum", "%s"},
    {"mrz_td1", "mrz", "checksum", "%s"},
    {"mrz_td1_long", "mrz", "checksum", "%s"},
    {"mrz_mrva", "mrz", "checksum", "%s"},
    {"mrz_mrvb", "mrz", "checksum", "%s"},
    {"iban", "iban", "checksum", "to %s."},
    {"card", "card", "checksum", "card %s,"},
    {"btc_base58", "bitcoin", "checksum", "%s"},
    {"tron_base58", "tron", "checksum", "%s"},
    {"btc_bech32", "bitcoin", "checksum", "%s"},
    {"ge_phone", "phone", "format", "(%s)"},
    {"ge_plate", "ge_plate", "format", "%s"},
    {"ge_plate_old", "ge_plate", "context", "plate number %s"},
    {"ge_plate_trailer", "ge_plate", "context", "vehicle %s"},
    {"ge_personal_no", "ge_personal_no", "context", "პირადი ნომერი %s"},
};
enum { JUDGED = sizeof judged / sizeof judged[0] };

static void judge(const char *name, const char *value, bool valid)
{
    char text[512], line[64];
    size_t i = 0;

    while (i < JUDGED && strcmp(judged[i].name, name) != 0)
        i++;
    cr_assert(i < JUDGED, "%s: nobody judges this kind", name);
    const char *at = strstr(judged[i].around, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - judged[i].around), judged[i].around, value, at + 2);
    snprintf(line, sizeof line, " %s %s ", judged[i].kind, judged[i].rank);
    cr_expect(finds(text, line) == valid, "%s %s should be %s", name, value, valid ? "found" : "refused");
}

Test(features, each_vector_of_the_reference_is_judged_right, .init = open_search, .fini = close_search)
{
    char line[512], *path;
    unsigned count = 0;
    FILE *file;

    cr_assert(asprintf(&path, "%s/../shared/reference/feature_vectors.tsv", getenv("KVALI_SOURCE")) > 0);
    file = fopen(path, "re");
    free(path);
    if (file == NULL)
        cr_skip_test("no ../shared here");
    cr_assert(fgets(line, sizeof line, file) != NULL);
    for (; fgets(line, sizeof line, file) != NULL; count++) {
        char *rest = line, *name = strsep(&rest, "\t"), *value = strsep(&rest, "\t"),
             *valid = strsep(&rest, "\t");

        judge(name, value, valid[0] == '1');
    }
    fclose(file);
    cr_assert(count >= 20);
}

/* One in sixteen is valid by its checksum: tables in programs. */
Test(features, a_row_of_true_and_false_is_no_seed_phrase, .init = open_search, .fini = close_search)
{
    char text[128] = "";

    for (unsigned bits = 0; bits < 4096; bits++) {
        text[0] = '\0';
        for (unsigned i = 0; i < 12; i++)
            strcat(text, (bits >> i & 1) != 0 ? "true, " : "false, ");
        cr_assert(!finds(text, " seed_phrase "), "%s", text);
    }
    cr_assert(
        finds("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
              " seed_phrase checksum "));
}

Test(features, one_changed_character_spoils_a_checksum, .init = open_search, .fini = close_search)
{
    static const char *const values[] = {
        "GE29NB0000000101904917",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion",
        "4539578763621486",
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char changed[128];
        size_t size = strlen(values[i]), at = size - 9;

        cr_expect(finds(values[i], " checksum "), "%s", values[i]);
        strcpy(changed, values[i]);
        changed[at] = changed[at] == '7' ? '4' : '7';
        cr_expect(!finds(changed, " checksum "), "%s", changed);
    }
}

Test(features, what_looks_nearly_like_one_is_none, .init = open_search, .fini = close_search)
{
    static const char *const texts[] = {
        "image@2x.png",
        "std::dead::beef a::b",
        "12:34:56:78",
        "version 10.1.2.3",
        "1.2.3.4.5",
        "+1234",
        "4111111111111111.5e3",
        "a = b.net_name",
        "ISO-8859 RFC-123 AB-1234-CD",
        "01001012345",
        "404123456",
        "d=\"M12.3456,78.9012\"",
        "password: string",
        "/home/user/x",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed",
        "490154203237518",
        "XGE29NB0000000101904917",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_expect(!finds(texts[i], " "), "%s", texts[i]);
}

/* ------------------------------------------------------------------ where pieces meet */

static const char *const planted[] = {
    "mail nino.k@example.ge x",
    "to GE29NB0000000101904917 now",
    "8.8.4.4 is",
    "+995 571 951 951 ",
    "legal winner thank year wave sausage worth useful legal winner thank yellow\n",
    "https://www.example.com/a/b?c=1 "};

enum { SIZE = 40000, STEP = 661 };

static void plant(uint8_t *data, int width)
{
    uint32_t noise = 1;
    size_t n = 0;

    for (size_t i = 0; i < SIZE; i++) {
        noise = noise * 1664525 + 1013904223;
        data[i] = (uint8_t)(noise >> 24) | 0x80;
    }
    for (size_t i = 100; i + STEP < SIZE; i += STEP, n++) {
        const char *text = planted[n % (sizeof planted / sizeof planted[0])];

        for (size_t k = 0; text[k] != '\0'; k++) {
            data[i + k * (size_t)width] = (uint8_t)text[k];
            if (width == 2)
                data[i + 2 * k + 1] = 0;
        }
    }
}

static void check_pieces(int width)
{
    static uint8_t data[SIZE];
    struct seen whole = {.lines = {0}};

    plant(data, width);
    look(data, SIZE, 0, SIZE, 0, &whole);
    cr_assert(whole.lines.size > 1000);
    for (size_t step = 61; step < SIZE; step = step * 3 + 7) {
        struct seen pieces = {.lines = {0}};

        for (size_t at = 0; at < SIZE; at += step)
            look(data, SIZE, at, at + step < SIZE ? at + step : SIZE, 0, &pieces);
        cr_expect_str_eq(buf_cstr(&pieces.lines), buf_cstr(&whole.lines), "in pieces of %zu", step);
        buf_finish(&pieces.lines);
    }
    buf_finish(&whole.lines);
}

Test(features, pieces_of_any_size_find_the_same, .init = open_search, .fini = close_search)
{
    check_pieces(1);
}

Test(features, pieces_of_any_size_find_the_same_in_utf16, .init = open_search, .fini = close_search)
{
    check_pieces(2);
}
