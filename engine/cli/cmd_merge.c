/* kvali merge: takes parts that hosts have given back into the case. */
#include "cases/merge.h"
#include "cases/plan.h"
#include "engine/cli/job_cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"tmp", 0, "FOLDER", "Local disk on which parts are looked at (default: $TMPDIR or /var/tmp)"},
    {NULL, 0, NULL, NULL},
};

enum { PATH_SIZE = 4096 };

struct merging {
    struct casefile *cf;
    struct merge *merge;
    bool quiet;
    uint64_t taken, known, refused;
};

/* A refused file must not pass for a part that is done: it is set aside, for whoever wants to know why. */
static void set_aside(const struct merging *m, const char *path)
{
    char aside[PATH_SIZE + 16], parts[PATH_SIZE];
    snprintf(parts, sizeof parts, "%s/parts/", casefile_folder(m->cf));
    snprintf(aside, sizeof aside, "%s.refused", path);
    if (strncmp(path, parts, strlen(parts)) == 0)
        (void)rename(path, aside);
}

static int take(struct merging *m, const char *path)
{
    struct part_header header;
    struct why why = {{0}};
    enum merge_end end;
    int code = merge_part(m->merge, path, &end, &header, &why);
    if (code == -EUCLEAN) /* the case's own database, not the part's */
        return fail(exit_code_of_case(code), casefile_folder(m->cf), code, &why,
                    "keep the folder as it is and run `kvali verify` on it to see what is damaged");
    if (code)
        return fail(exit_code_of_case(code), path, code, &why,
                    "what was merged until then is kept; the same again goes on");
    switch (end) {
    case MERGE_TAKEN:
        m->taken++;
        if (!m->quiet)
            cli_print("Part %llu of %s: taken in.\n", (unsigned long long)header.part, header.node);
        break;
    case MERGE_KNOWN:
        m->known++;
        break;
    case MERGE_REFUSED:
        m->refused++;
        (void)fail_words(EXIT_CASE, "refused", why.text, NULL);
        set_aside(m, path);
        break;
    }
    return EXIT_DONE;
}

/* Those of the plan that are there. */
static int take_planned(struct merging *m)
{
    char id[SHA256_HEX_SIZE], path[PATH_SIZE], name[PART_NAME_SIZE];
    struct plan_part *parts = NULL;
    struct stat st;
    size_t count = 0;
    int code = plan_parts(m->cf, id, &parts, &count);
    if (code)
        return fail(exit_code_of_case(code), casefile_folder(m->cf), code, NULL, NULL);
    for (size_t i = 0; code == EXIT_DONE && i < count; i++) {
        snprintf(path, sizeof path, "%s/parts/%s", casefile_folder(m->cf), part_name(parts[i].number, name));
        if (!parts[i].merged && stat(path, &st) == 0)
            code = take(m, path);
    }
    free(parts);
    return code;
}

/* "3, 7-9" */
static void missing_words(struct casefile *cf, struct buf *ret)
{
    char id[SHA256_HEX_SIZE];
    struct plan_part *parts = NULL;
    size_t count = 0;
    if (plan_parts(cf, id, &parts, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        size_t last = i;
        if (parts[i].merged)
            continue;
        while (last + 1 < count && !parts[last + 1].merged)
            last++;
        buf_printf(ret, "%s%llu", ret->size ? ", " : "", (unsigned long long)parts[i].number);
        if (last > i)
            buf_printf(ret, "-%llu", (unsigned long long)parts[last].number);
        i = last;
    }
    free(parts);
}

/* What hosts that were killed have left half written. All is in: nobody waits for it. */
static void sweep_partial(struct casefile *cf)
{
    char path[PATH_SIZE + 300];
    struct dirent *entry;
    snprintf(path, sizeof path, "%s/parts", casefile_folder(cf));
    DIR *parts = opendir(path);
    while (parts && (entry = readdir(parts))) {
        size_t size = strlen(entry->d_name);
        if (strstr(entry->d_name, ".part.") && size > 8 &&
            strcmp(entry->d_name + size - 8, ".partial") == 0) {
            snprintf(path, sizeof path, "%s/parts/%s", casefile_folder(cf), entry->d_name);
            (void)unlink(path);
        }
    }
    if (parts)
        closedir(parts);
}

static int told(const struct merging *m, const struct merge_result *result)
{
    const char *folder = casefile_folder(m->cf);
    if (!m->quiet)
        cli_print("%llu parts taken in, %llu were there already, %llu refused.\n",
                  (unsigned long long)m->taken, (unsigned long long)m->known, (unsigned long long)m->refused);
    if (result->pending) {
        struct buf missing = {0};
        missing_words(m->cf, &missing);
        if (missing.size)
            cli_print("Not complete: parts %s are missing (%llu contents). `kvali resubmit %s`, or `kvali work`, "
                      "then merge again.\n",
                      buf_cstr(&missing), (unsigned long long)result->pending, folder);
        else
            cli_print("Not complete: all parts are in; %llu contents or listings that a run of this case began are "
                      "pending: `kvali run %s` does them.\n",
                      (unsigned long long)result->pending, folder);
        buf_finish(&missing);
        return EXIT_RETRY;
    }
    sweep_partial(m->cf);
    if (!m->quiet)
        cli_print("Done: %llu contents examined, %llu faults recorded.\nFindings digest: %s\n",
                  (unsigned long long)result->streams_done, (unsigned long long)result->faults,
                  result->digest);
    return result->faults ? EXIT_FAULTS : EXIT_DONE;
}

static int merge_all(struct casefile *cf, const struct options *options)
{
    struct merging m = {.cf = cf, .quiet = options->quiet};
    struct merge_result result;
    struct why why = {{0}};
    int error = merge_begin(cf, job_cli_spool(options), &m.merge, &why);
    if (error)
        return fail(error == -ENOENT ? EXIT_USAGE : exit_code_of_case(error), casefile_folder(cf), error,
                    &why, NULL);
    int code = EXIT_DONE;
    for (size_t i = 1; code == EXIT_DONE && i < options->arg_count; i++)
        code = take(&m, options->args[i]);
    if (code == EXIT_DONE && options->arg_count == 1)
        code = take_planned(&m);
    if (code == EXIT_DONE) {
        error = merge_end(m.merge, &result, &why);
        code = error ? fail(exit_code_of_case(error), casefile_folder(cf), error, &why, NULL)
                     : told(&m, &result);
    }
    merge_free(m.merge);
    return code;
}

static int run(const struct options *options)
{
    struct casefile *cf = NULL;
    int code;
    if (cli_open_case(options->args[0], CASEFILE_WRITE, &cf, &code) < 0)
        return code;
    code = merge_all(cf, options);
    casefile_close(cf);
    return code;
}

const struct command command_merge = {
    .name = "merge",
    .summary = "take parts that hosts have given back into the case",
    .usage = "CASE [FILE...] [options]",
    .help = "Folds the files in CASE/parts/ (or FILEs, in any order) into the case, each in one transaction "
            "and once, however\n"
            "often it comes and wherever a merge was killed. A part of another plan, with another "
            "configuration, damaged, cut\n"
            "short or of another kvali is refused by name and set aside (NNNNNN.part.refused); the others "
            "are taken in. Each\n"
            "part's own ledger lines come into the case's ledger. When nothing is missing any more, images "
            "are verified and\n"
            "the findings' digest is written: the same as if one process had done it all.",
    .example = "  kvali merge /srv/cases/2026-001",
    .exits = "  1    complete, and faults were recorded\n"
             "  75   parts are missing still",
    .options = specs,
    .min_args = 1,
    .run = run,
};
