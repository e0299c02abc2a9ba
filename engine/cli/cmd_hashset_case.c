/* kvali hashset from-case and same: sets of what cases hold, and what several places and cases hold alike. */
#include "engine/cli/cmd_hashset.h"

#include "cases/custody.h"
#include "cases/db.h"
#include "cases/digest.h"
#include "cases/hashsets/store.h"
#include "cases/query.h"
#include "engine/base/text.h"
#include "engine/cli/file_options.h"
#include "engine/hashset/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ from-case */

struct making {
    struct hashset_build *build;
    const struct custody *custody; /* only what its reviews call `status`; NULL: all */
    const char *status;
    const char *category, *number;
    uint64_t lines;
};

static const uint8_t *key_of(const char *hex, uint8_t *key, size_t size)
{
    return strlen(hex) == 2 * size && text_unhex(hex, key, size) ? key : NULL;
}

/* A review names its finding by an address, and what else may follow a blank. */
static bool is_reviewed(const struct making *making, const char *path)
{
    size_t size = strlen(path);

    for (size_t i = 0; i < custody_count(making->custody); i++) {
        const struct custody_record *record = custody_at(making->custody, i);
        const char *finding;

        if (record->withdrawn || strcmp(record->kind->word, "review") != 0 ||
            strcmp(custody_value(record, "status", 0), making->status) != 0)
            continue;
        finding = custody_value(record, "finding", 0);
        if (strncmp(finding, path, size) == 0 &&
            (finding[size] == '\0' || strchr(" ,;:", finding[size]) != NULL))
            return true;
    }
    return false;
}

static bool is_status(const char *tag)
{
    const char *words = custody_field(custody_kind_named("review"), "status")->words;
    size_t size = strlen(tag);

    for (const char *at = words; (at = strstr(at, tag)) != NULL; at += size)
        if ((at == words || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    return false;
}

/* What was read with holes has hashes of zeros in these places: it is no known content. */
static int add_row(void *context, const struct file_row *row)
{
    struct making *making = context;
    uint8_t md5[MD5_SIZE], sha1[SHA1_SIZE], sha256[SHA256_SIZE];
    const uint8_t *keys[HASHSET_ALGORITHMS] = {key_of(row->md5, md5, sizeof md5),
                                               key_of(row->sha1, sha1, sizeof sha1),
                                               key_of(row->sha256, sha256, sizeof sha256)};
    uint32_t label;

    if (row->content_size == 0 || !row->hash_complete || keys[HASHSET_SHA256] == NULL)
        return 0;
    if (making->custody != NULL && !is_reviewed(making, row->path))
        return 0;
    label = hashset_build_label(making->build, making->category, strlen(making->category), making->number,
                                strlen(making->number), NULL, 0);
    return hashset_build_row(making->build, keys, label, ++making->lines);
}

/* --kind is the set's here, and means a kind of stream to the filters: they are not shown it. */
static int filters_of(const struct options *options, struct file_filter *ret_filter, struct why *why)
{
    struct options filters = *options;
    size_t count = 0;
    int code;

    filters.given = calloc(options->given_count + 1, sizeof filters.given[0]);
    if (filters.given == NULL)
        return why_set(why, -ENOMEM, "no memory");
    for (size_t i = 0; i < options->given_count; i++)
        if (strcmp(options->given[i].name, "kind") != 0)
            filters.given[count++] = options->given[i];
    filters.given_count = count;
    code = file_options(&filters, ret_filter, why);
    if (code == 0)
        ret_filter->tag = options_text(options, "tag", NULL);
    free(filters.given);
    return code;
}

static int add_case(const struct options *options, struct hashset_build *build, const char *folder,
                    int *ret_exit)
{
    char digest[SHA256_HEX_SIZE];
    struct making making = {.build = build, .category = options_text(options, "category", "")};
    struct casefile *cf = NULL;
    struct file_filter filter;
    struct why why = {{0}};
    struct custody *custody = NULL;
    struct buf name = {0};
    int code;

    if (filters_of(options, &filter, &why) < 0)
        return *ret_exit = fail_usage("hashset", &why), -EINVAL;
    code = cli_open_case(folder, CASEFILE_READ, &cf, ret_exit);
    if (code < 0)
        return code;
    making.number = casefile_number(cf);
    if (filter.tag != NULL && filter.tag[0] != '\0' && is_status(filter.tag)) {
        making.status = filter.tag;
        filter.tag = NULL;
        code = custody_load(folder, &custody, &why);
        making.custody = custody;
    }
    text_escape(&name, making.number, strlen(making.number));
    if (code == 0)
        code = case_digest(cf, NULL, NULL, digest, &why);
    if (code == 0)
        code = hashset_build_source(build, buf_cstr(&name), "kvali case, SHA-256 of its findings");
    if (code == 0)
        code = file_query(cf, &filter, add_row, &making, &why);
    if (code == 0)
        hashset_build_source_end(build, making.lines, 0, digest);
    if (code == 0 && !options->quiet)
        cli_print("%s: %llu contents\n", folder, (unsigned long long)making.lines);
    buf_finish(&name);
    custody_free(custody);
    casefile_close(cf);
    if (code < 0)
        *ret_exit = fail(exit_code_of_case(code), folder, code, &why, NULL);
    return code;
}

int hashset_from_case(const struct options *options, char **args, size_t count)
{
    struct hashset_build_options build = {.name = args[0],
                                          .labelled = true,
                                          .replace = options_has(options, "replace"),
                                          .memory = HASHSET_MEMORY_MIN};
    struct hashset_build *made = NULL;
    struct buf path = {0};
    struct why why = {{0}};
    int exit_code = EXIT_DONE, code = hashset_kind_option(options, &build.kind, &exit_code);

    if (code < 0)
        return exit_code;
    code = store_path(hashset_folder(options), args[0], true, &path, &why);
    build.path = buf_cstr(&path);
    if (code == 0)
        code = hashset_build_new(&build, &made, &why);
    for (size_t i = 1; i < count && code == 0; i++)
        code = add_case(options, made, args[i], &exit_code);
    if (code == 0 && hashset_build_rows(made) == 0)
        code = why_set(&why, -ENODATA, "nothing fits the filters: no set is made");
    if (code == 0)
        code = hashset_build_finish(made, &why);
    if (code < 0 && exit_code == EXIT_DONE)
        exit_code =
            fail(code == -EINVAL || code == -EEXIST || code == -ENODATA ? EXIT_USAGE : EXIT_ENVIRONMENT, NULL,
                 code, &why, code == -EEXIST ? "--replace puts the new set in its place" : NULL);
    hashset_build_free(made);
    buf_finish(&path);
    return exit_code;
}

/* ------------------------------------------------------------------ same */

/* A place of a content. Texts lie one after the other in one buffer. */
struct place {
    uint8_t sha256[SHA256_SIZE];
    uint64_t size, stream;
    size_t of_case, exhibit, path; /* offsets of texts */
};

struct places {
    struct place *items;
    size_t count, capacity;
    struct buf texts;
};

static size_t keep(struct places *places, const char *text)
{
    size_t at = places->texts.size;

    buf_append(&places->texts, text, strlen(text) + 1);
    return at;
}

static int add_place(struct places *places, size_t of_case, struct db_statement *s)
{
    struct place *place;

    if (places->count == places->capacity) {
        size_t capacity = places->capacity * 2 + 1024;
        struct place *items = reallocarray(places->items, capacity, sizeof items[0]);

        if (items == NULL)
            return -ENOMEM;
        places->items = items;
        places->capacity = capacity;
    }
    place = &places->items[places->count];
    if (!text_unhex(db_text(s, 0), place->sha256, SHA256_SIZE))
        return 0;
    place->size = db_u64(s, 1);
    place->stream = db_u64(s, 2);
    place->of_case = of_case;
    place->exhibit = keep(places, db_text(s, 3));
    place->path = keep(places, db_text(s, 4));
    places->count++;
    return buf_failed(&places->texts) ? -ENOMEM : 0;
}

static int read_places(struct places *places, const char *folder, int *ret_exit)
{
    struct casefile *cf = NULL;
    struct db_statement *s = NULL;
    int code = cli_open_case(folder, CASEFILE_READ, &cf, ret_exit);
    size_t of_case;

    if (code < 0)
        return code;
    of_case = keep(places, casefile_number(cf));
    code = db_prepare(
        casefile_db(cf),
        "SELECT sha256, content_size, stream, exhibit, path FROM file WHERE sha256 IS NOT NULL AND "
        "content_size > 0 AND kind IN ('file', 'ads', 'child', 'carved') ORDER BY exhibit, path",
        &s);
    while (code >= 0 && (code = db_step(s)) == 1)
        code = add_place(places, of_case, s);
    if (code < 0)
        *ret_exit = fail_words(exit_code_of_case(code), folder, db_error(casefile_db(cf)), NULL);
    db_finalize(s);
    casefile_close(cf);
    return code;
}

/* By content, then in the order of reading. */
static int by_content(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = memcmp(x->sha256, y->sha256, SHA256_SIZE);

    return order != 0 ? order : (x->path > y->path) - (x->path < y->path);
}

/* Two names of one content in one case are a hard link, no second place. */
static bool is_twice(const struct place *group, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (group[i].of_case != group[0].of_case || group[i].stream != group[0].stream)
            return true;
    return false;
}

static void print_group(const struct places *places, const struct place *group, size_t count)
{
    const char *texts = (const char *)places->texts.data;
    char hex[2 * SHA256_SIZE + 1];

    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", group[0].sha256[i]);
    for (size_t i = 0; i < count; i++)
        cli_print("%s\t%llu\t%s\t%s\t%s\n", hex, (unsigned long long)group[i].size, texts + group[i].of_case,
                  texts + group[i].exhibit, texts + group[i].path);
}

int hashset_same(const struct options *options, char **args, size_t count)
{
    struct places places = {0};
    int exit_code = EXIT_DONE, code = 0;
    size_t groups = 0;

    for (size_t i = 0; i < count && code == 0; i++)
        code = read_places(&places, args[i], &exit_code);
    if (code == 0 && places.count > 0)
        qsort(places.items, places.count, sizeof places.items[0], by_content);
    if (code == 0)
        cli_print("sha256\tsize\tcase\texhibit\tpath\n");
    for (size_t i = 0, end; code == 0 && i < places.count; i = end) {
        for (end = i + 1; end < places.count &&
                          memcmp(places.items[i].sha256, places.items[end].sha256, SHA256_SIZE) == 0;)
            end++;
        if (is_twice(places.items + i, end - i)) {
            print_group(&places, places.items + i, end - i);
            groups++;
        }
    }
    if (code == 0 && !options->quiet)
        fprintf(stderr, "%zu contents lie at more than one place\n", groups);
    free(places.items);
    buf_finish(&places.texts);
    return exit_code;
}
