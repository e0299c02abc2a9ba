/* kvali hashset: sets of known hashes: made, listed, checked, asked. */
#include "engine/cli/cmd_hashset.h"

#include "cases/hashsets/store.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/cli/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
static const struct option_spec specs[] = {
    {"hashsets", 0, "FOLDER", "Where sets are kept (default: $KVALI_HASHSETS or ~/.local/share/kvali/hashsets)"},
    {"kind", 'k', "KIND", "import, from-case: known (default), alert or notable"},
    {"memory", 0, "SIZE", "import: memory to sort in (default 1G, at least 64M)"},
    {"replace", 0, NULL, "import, from-case: a set of that name is replaced, at the end and in one step"},
    {"from", 'f', "FILE", "lookup: hashes from this file, one a line ('-': standard input)"},
    {"json", 'j', NULL, "list, info: as JSON"},
    {"exhibit", 'x', "LABEL", "from-case: only of this exhibit"},
    {"name", 'n', "GLOB", "from-case: name like this"},
    {"path", 'p', "GLOB", "from-case: whole address like this"},
    {"mime", 'm', "GLOB", "from-case: type of the content: 'image/*'"},
    {"rule", 'r', "GLOB", "from-case: a YARA rule with a name like this matched"},
    {"in-set", 0, "GLOB", "from-case: a hash set with a name like this has it"},
    {"tag", 0, "TAG", "from-case: what a review calls so (reviewed, confirmed, rejected); else a tag (GLOB) of a rule or set that hit"},
    {"min-size", 0, "SIZE", "from-case: at least this large"},
    {"max-size", 0, "SIZE", "from-case: at most this large"},
    {"deleted", 'd', NULL, "from-case: only what is deleted"},
    {"live", 0, NULL, "from-case: only what is not deleted"},
    {"carved", 0, NULL, "from-case: only what was recovered by its structure"},
    {"category", 0, "TEXT", "from-case: the category of every row"},
    {NULL, 0, NULL, NULL},
};
/* clang-format on */

const char *hashset_folder(const struct options *options)
{
    static struct buf folder;

    buf_clear(&folder);
    store_folder(options_text(options, "hashsets", NULL), &folder);
    return buf_cstr(&folder);
}

int hashset_open_named(const struct options *options, const char *named, struct hashset **ret_set,
                       int *ret_exit)
{
    struct buf path = {0};
    struct why why = {{0}};
    int code = store_find(hashset_folder(options), named, &path, &why);

    if (code == 0)
        code = hashset_open(buf_cstr(&path), ret_set, &why);
    buf_finish(&path);
    if (code < 0)
        *ret_exit = fail(code == -EINVAL    ? EXIT_USAGE
                         : code == -EBADMSG ? EXIT_CASE
                                            : EXIT_ENVIRONMENT,
                         NULL, code, &why, NULL);
    return code;
}

int hashset_kind_option(const struct options *options, enum hashset_kind *ret_kind, int *ret_exit)
{
    const char *word = options_text(options, "kind", "known");

    for (int kind = HASHSET_KNOWN; kind <= HASHSET_NOTABLE; kind++) {
        if (strcmp(word, hashset_kind_name((enum hashset_kind)kind)) == 0) {
            *ret_kind = (enum hashset_kind)kind;
            return 0;
        }
    }
    *ret_exit = fail_words(EXIT_USAGE, "--kind", "it is known, alert or notable", NULL);
    return -EINVAL;
}

/* ------------------------------------------------------------------ list, info */

static void put_sources(struct json *json, const struct hashset *set)
{
    json_array_open(json, "sources");
    for (size_t i = 0; i < hashset_info(set)->sources; i++) {
        struct hashset_source source = hashset_source(set, i);

        json_object_open(json, NULL);
        json_text(json, "name", source.name);
        json_text(json, "format", source.format);
        json_u64(json, "size", source.size);
        json_u64(json, "lines", source.rows);
        json_text(json, "sha256", source.sha256);
        json_object_close(json);
    }
    json_array_close(json);
}

static void put_json(const struct hashset *set)
{
    const struct hashset_info *info = hashset_info(set);
    struct buf buf = {0};
    struct json json;

    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "name", info->name);
    json_text(&json, "kind", hashset_kind_name(info->kind));
    json_u64(&json, "rows", info->rows);
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        json_u64(&json, hashset_algorithm_name((enum hashset_algorithm)i), info->count[i]);
    for (unsigned i = 0; i < HASHSET_SIMILARS; i++)
        json_u64(&json, hashset_similar_name((enum hashset_similar)i), info->similar[i]);
    json_u64(&json, "labels", info->labels);
    json_u64(&json, "size", info->file_size);
    json_text(&json, "sha256", info->sha256);
    put_sources(&json, set);
    json_object_close(&json);
    buf_u8(&buf, '\n');
    fwrite(buf.data, 1, buf.size, stdout);
    buf_finish(&buf);
}

struct listing {
    const struct options *options;
    int code;
};

static int list_one(void *context, const char *path)
{
    struct listing *listing = context;
    struct hashset *set = NULL;
    struct why why = {{0}};
    const struct hashset_info *info;
    char size[32];

    if (hashset_open(path, &set, &why) < 0) {
        listing->code = fail(EXIT_CASE, NULL, -EBADMSG, &why, NULL);
        return 0;
    }
    info = hashset_info(set);
    if (options_has(listing->options, "json"))
        put_json(set);
    else
        cli_print("%-24s %-8s %12llu %12llu %12llu %9s  %s\n", info->name, hashset_kind_name(info->kind),
                  (unsigned long long)info->count[HASHSET_MD5], (unsigned long long)info->count[HASHSET_SHA1],
                  (unsigned long long)info->count[HASHSET_SHA256],
                  progress_bytes((double)info->file_size, size, sizeof size), info->sha256);
    hashset_close(set);
    return 0;
}

static int list(const struct options *options, char **args, size_t count)
{
    struct listing listing = {.options = options, .code = EXIT_DONE};
    struct why why = {{0}};
    int code;

    (void)args, (void)count;
    if (!options_has(options, "json"))
        cli_print("%-24s %-8s %12s %12s %12s %9s  %s\n", "NAME", "KIND", "MD5", "SHA-1", "SHA-256", "SIZE",
                  "SHA-256 OF THE HEADER");
    code = store_each(hashset_folder(options), list_one, &listing, &why);
    return code < 0 ? fail(exit_code_of(code), NULL, code, &why, NULL) : listing.code;
}

static void print_info(const struct hashset *set)
{
    const struct hashset_info *info = hashset_info(set);

    cli_print("name     %s\nkind     %s\nrows     %llu\n", info->name, hashset_kind_name(info->kind),
              (unsigned long long)info->rows);
    for (unsigned i = 0; i < HASHSET_ALGORITHMS; i++)
        cli_print("%-8s %llu\n", hashset_algorithm_name((enum hashset_algorithm)i),
                  (unsigned long long)info->count[i]);
    for (unsigned i = 0; i < HASHSET_SIMILARS; i++)
        if (info->similar[i] > 0)
            cli_print("%-8s %llu\n", hashset_similar_name((enum hashset_similar)i),
                      (unsigned long long)info->similar[i]);
    cli_print(
        "labels   %llu\nsize     %llu\nheader   %s (SHA-256 of the first 4096 bytes, which stand for all)\n",
        (unsigned long long)info->labels, (unsigned long long)info->file_size, info->sha256);
    for (size_t i = 0; i < info->sources; i++) {
        struct hashset_source source = hashset_source(set, i);

        cli_print("source   %s: %s, %llu bytes, %llu lines, SHA-256 %s\n", source.name, source.format,
                  (unsigned long long)source.size, (unsigned long long)source.rows, source.sha256);
    }
}

static int info(const struct options *options, char **args, size_t count)
{
    int code = EXIT_DONE;

    for (size_t i = 0; i < count; i++) {
        struct hashset *set = NULL;

        if (hashset_open_named(options, args[i], &set, &code) < 0)
            continue;
        if (options_has(options, "json"))
            put_json(set);
        else
            print_info(set);
        hashset_close(set);
    }
    return code;
}

/* ------------------------------------------------------------------ verify, remove */

static int verify(const struct options *options, char **args, size_t count)
{
    int code = EXIT_DONE;

    for (size_t i = 0; i < count; i++) {
        struct hashset *set = NULL;
        struct why why = {{0}};
        uint64_t damaged = 0;
        int wrong;

        if (hashset_open_named(options, args[i], &set, &code) < 0)
            continue;
        wrong = hashset_verify(set, NULL, NULL, &damaged, &why);
        if (wrong < 0)
            code = fail(EXIT_CASE, args[i], wrong, &why, "import it again");
        else if (!options->quiet)
            cli_print("%s: whole, %llu bytes checked\n", hashset_info(set)->name,
                      (unsigned long long)hashset_info(set)->file_size);
        hashset_close(set);
    }
    return code;
}

/* A damaged set must go too, so it is not opened; what is no set of ours stays. */
static int remove_sets(const struct options *options, char **args, size_t count)
{
    int code = EXIT_DONE;

    for (size_t i = 0; i < count; i++) {
        struct buf path = {0};
        struct why why = {{0}};
        int wrong = store_path(hashset_folder(options), args[i], false, &path, &why);

        if (wrong == 0 && unlink(buf_cstr(&path)) < 0)
            wrong = why_set(&why, -errno, "%s: %s", buf_cstr(&path), strerror(errno));
        if (wrong < 0)
            code = fail(wrong == -EINVAL || wrong == -ENOENT ? EXIT_USAGE : EXIT_ENVIRONMENT, args[i], wrong,
                        &why, NULL);
        buf_finish(&path);
    }
    return code;
}

/* ------------------------------------------------------------------ verbs */

static const struct verb {
    const char *name;
    size_t min_args;
    int (*run)(const struct options *options, char **args, size_t count);
    const char *usage;
} verbs[] = {
    {"import", 2, hashset_import, "import NAME FILE…"},
    {"list", 0, list, "list"},
    {"info", 1, info, "info SET…"},
    {"verify", 1, verify, "verify SET…"},
    {"lookup", 1, hashset_lookup, "lookup SET HASH… or lookup SET --from FILE"},
    {"export", 1, hashset_export, "export SET"},
    {"remove", 1, remove_sets, "remove NAME…"},
    {"from-case", 2, hashset_from_case, "from-case NAME CASE…"},
    {"same", 1, hashset_same, "same CASE…"},
};

static int run(const struct options *options)
{
    struct why why = {{0}};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(options->args[0], verbs[i].name) != 0)
            continue;
        if (options->arg_count - 1 >= verbs[i].min_args)
            return verbs[i].run(options, options->args + 1, options->arg_count - 1);
        why_set(&why, -EINVAL, "too few arguments: expected %s", verbs[i].usage);
        return fail_usage("hashset", &why);
    }
    return fail_words(EXIT_USAGE, options->args[0], "hashset has no such verb",
                      "`kvali hashset --help` lists them");
}

const struct command command_hashset = {
    .name = "hashset",
    .summary = "sets of known files: import NSRL and others, list, verify, look up, make from cases",
    .usage = "VERB [arguments] [options]",
    .help =
        "A set is a list of hashes (MD5, SHA-1, SHA-256) of one kind: `known` (nothing to see), `alert` "
        "(illegal or\n"
        "hostile) or `notable` (wanted here). `run --hashset NAME` looks every content up in it.\n"
        "\n"
        "  import NAME FILE…     makes a set of the files: NSRL RDS v1, v2 (NSRLFile.txt) and v3 "
        "(SQLite), The Sleuth\n"
        "                        Kit's database, hashdeep, md5sum/sha1sum/sha256sum and BSD lists, plain "
        "lists, CSV with\n"
        "                        a head line, HashKeeper, ICSE CSV, EnCase .hash, VICS JSON, ssdeep and TLSH; told by "
        "content\n"
        "  list                  what sets there are\n"
        "  info SET…             counts, kind, and the files that it came from with their SHA-256\n"
        "  verify SET…           reads all of it and finds any damage\n"
        "  lookup SET HASH…      is it in there, and from which line of which file\n"
        "  export SET            all of it as CSV, to standard output\n"
        "  remove NAME…          deletes a set\n"
        "  from-case NAME CASE…  makes a set of what the filters choose in these cases: by --tag confirmed "
        "what "
        "a review\n"
        "                        (`kvali custody add CASE review`) confirmed, whose finding begins with the "
        "address\n"
        "  same CASE…            contents that lie at more than one place, also in several exhibits and "
        "cases\n"
        "\n"
        "SET is a name in the folder of sets, or a path. Nothing is left of an import that is stopped, "
        "and a set that is\n"
        "being replaced stays as it is until then. Memory stays below --memory for files of any size.",
    .example = "  kvali hashset import nsrl NSRLFile.txt --kind known\n"
               "  kvali hashset import lab-alert export.json --kind alert\n"
               "  kvali process disk.E01 --case CASE --hashset nsrl --hashset lab-alert --skip-known\n"
               "  kvali hashset from-case seen CASE --rule 'wallet*' --kind notable\n"
               "  kvali hashset from-case confirmed CASE1 CASE2 --tag confirmed --kind alert",
    .exits = "  1    done, and some lines of the files were no hashes; lookup: not all were found\n"
             "  4    a set is damaged",
    .options = specs,
    .min_args = 1,
    .run = run,
};
