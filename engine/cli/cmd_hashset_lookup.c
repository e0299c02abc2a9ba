/* kvali hashset lookup and export: what a set says. */
#include "engine/cli/cmd_hashset.h"

#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096 };

/* Keys of one algorithm that wait to be looked up together. */
struct lookup {
    const struct hashset *set;
    uint64_t asked, found, wrong, unknown;
    struct {
        uint8_t keys[BATCH * HASHSET_KEY_MAX];
        size_t count;
    } batch[HASHSET_ALGORITHMS];
};

static void put_hex(const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * HASHSET_KEY_MAX];

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    fwrite(text, 1, 2 * size, stdout);
}

static void put_hit(struct lookup *lookup, enum hashset_algorithm algorithm, uint64_t number)
{
    struct hashset_source source;
    struct hashset_entry entry;
    uint64_t line = 0;

    if (!hashset_entry(lookup->set, algorithm, number, &entry)) {
        lookup->unknown++;
        return;
    }
    source = hashset_row_source(lookup->set, entry.row, &line);
    put_hex(entry.key, hashset_width(algorithm));
    printf("\t%s\t%.*s\t%.*s\t%.*s\t%s:%llu\n", hashset_kind_name(hashset_info(lookup->set)->kind),
           (int)entry.category_size, entry.category ? entry.category : "", (int)entry.series_size,
           entry.series ? entry.series : "", (int)entry.tags_size, entry.tags ? entry.tags : "",
           source.name ? source.name : "", (unsigned long long)line);
}

static void flush(struct lookup *lookup, enum hashset_algorithm algorithm)
{
    uint64_t first[BATCH];
    size_t count = lookup->batch[algorithm].count;

    hashset_find_many(lookup->set, algorithm, lookup->batch[algorithm].keys, count, first);
    for (size_t i = 0; i < count; i++) {
        lookup->unknown += first[i] == HASHSET_UNKNOWN;
        if (first[i] >= HASHSET_UNKNOWN)
            continue;
        lookup->found++;
        put_hit(lookup, algorithm, first[i]);
    }
    lookup->batch[algorithm].count = 0;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool unhex(const char *text, size_t size, uint8_t *ret)
{
    for (size_t i = 0; i < size; i++) {
        int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void ask(struct lookup *lookup, const char *text, size_t size)
{
    enum hashset_algorithm algorithm = size % 2 == 0 ? hashset_algorithm_of(size / 2) : HASHSET_ALGORITHMS;

    lookup->asked++;
    if (algorithm == HASHSET_ALGORITHMS ||
        !unhex(text, size / 2, lookup->batch[algorithm].keys + lookup->batch[algorithm].count * (size / 2))) {
        lookup->wrong++;
        return;
    }
    if (++lookup->batch[algorithm].count == BATCH)
        flush(lookup, algorithm);
}

static int ask_file(struct lookup *lookup, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int error;

    if (file == NULL)
        return fail(EXIT_USAGE, path, -errno, NULL, NULL);
    while ((length = getline(&line, &capacity, file)) > 0) {
        while (length > 0 && strchr("\r\n\t ", line[length - 1]) != NULL)
            length--;
        if (length > 0)
            ask(lookup, line, (size_t)length);
    }
    error = ferror(file) ? -EIO : 0;
    free(line);
    if (file != stdin)
        fclose(file);
    return error < 0 ? fail(EXIT_ENVIRONMENT, path, error, NULL, NULL) : EXIT_DONE;
}

static int damaged(const struct hashset *set, const char *named)
{
    struct why why = {{0}};

    why_set(&why, -EBADMSG, "it is damaged at offset %llu", (unsigned long long)hashset_damage(set));
    return fail(EXIT_CASE, named, -EBADMSG, &why, "import it again");
}

int hashset_lookup(const struct options *options, char **args, size_t count)
{
    const char *from = options_text(options, "from", NULL);
    struct lookup *lookup;
    struct hashset *set = NULL;
    int code = EXIT_DONE;

    if (count < 2 && from == NULL)
        return fail_words(EXIT_USAGE, "hashset lookup", "no hash is given",
                          "name some, or a file of them with --from");
    if (hashset_open_named(options, args[0], &set, &code) < 0)
        return code;
    lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        hashset_close(set);
        return fail(EXIT_ENVIRONMENT, NULL, -ENOMEM, NULL, NULL);
    }
    lookup->set = set;
    for (size_t i = 1; i < count; i++)
        ask(lookup, args[i], strlen(args[i]));
    if (from != NULL)
        code = ask_file(lookup, from);
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        flush(lookup, (enum hashset_algorithm)i);
    if (!options->quiet)
        fprintf(stderr, "%llu of %llu found\n", (unsigned long long)lookup->found,
                (unsigned long long)lookup->asked);
    if (lookup->unknown > 0)
        code = damaged(set, args[0]);
    else if (lookup->wrong > 0)
        code = fail_words(EXIT_USAGE, "hashset lookup", "some of what was asked is no MD5, SHA-1 or SHA-256",
                          NULL);
    else if (code == EXIT_DONE && lookup->found < lookup->asked)
        code = EXIT_FAULTS;
    free(lookup);
    hashset_close(set);
    return code;
}

/* ------------------------------------------------------------------ export */

static void put_csv(const char *text, size_t size)
{
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            putchar('"');
        putchar(text[i]);
    }
    putchar('"');
}

/* False: not all of it could be read. */
static bool export_table(const struct hashset *set, enum hashset_algorithm algorithm)
{
    struct hashset_entry entry;
    uint64_t i = 0;

    for (; hashset_entry(set, algorithm, i, &entry) && !ferror(stdout); i++) {
        struct hashset_source source;
        uint64_t line = 0;

        source = hashset_row_source(set, entry.row, &line);
        put_hex(entry.key, hashset_width(algorithm));
        if (hashset_info(set)->labels > 0) {
            putchar(',');
            put_csv(entry.category, entry.category_size);
            putchar(',');
            put_csv(entry.series, entry.series_size);
            putchar(',');
            put_csv(entry.tags, entry.tags_size);
        }
        putchar(',');
        put_csv(source.name, source.name != NULL ? strlen(source.name) : 0);
        printf(",%llu\n", (unsigned long long)line);
    }
    return i == hashset_info(set)->count[algorithm] || ferror(stdout);
}

int hashset_export(const struct options *options, char **args, size_t count)
{
    struct hashset *set = NULL;
    int code = EXIT_DONE;
    bool whole = true;

    (void)count;
    if (hashset_open_named(options, args[0], &set, &code) < 0)
        return code;
    puts(hashset_info(set)->labels > 0 ? "hash,category,series,tags,source,line" : "hash,source,line");
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        whole = export_table(set, (enum hashset_algorithm)i) && whole;
    if (!whole)
        code = damaged(set, args[0]);
    hashset_close(set);
    return code;
}
