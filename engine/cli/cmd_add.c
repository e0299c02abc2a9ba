/* kvali add: records exhibits in a case. Parses nothing. */
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"exhibit", 'x', "LABEL", "The investigator's number of the exhibit (default: EX-1, EX-2 …)"},
    {"type", 't', "TYPE", "auto, raw, split, ewf, aff, vmdk, vhd, vhdx, qcow, file or folder (default: auto)"},
    {NULL, 0, NULL, NULL},
};

/* The names of engine/evidence/image.h, which this program does not link. */
static const char *const types[] = {"auto", "raw", "split", "ewf",    "aff",
                                    "vmdk", "vhd", "vhdx", "qcow", "file",  "folder", NULL};

static bool is_type(const char *name)
{
    for (const char *const *type = types; *type; type++)
        if (!strcmp(*type, name))
            return true;
    return false;
}

/* The absolute path, when there is something that can be read. malloc'ed; NULL with *ret_exit set. */
static char *check_evidence(const char *path, const char *type, int *ret_exit)
{
    struct stat st;
    char *absolute = realpath(path, NULL);
    if (!absolute || stat(absolute, &st) < 0) {
        *ret_exit = fail(EXIT_EVIDENCE, path, errno, NULL, "check the path of the evidence");
    } else if (access(absolute, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) < 0) {
        *ret_exit = fail(EXIT_EVIDENCE, path, errno, NULL, "check who may read it (block devices need root)");
    } else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISBLK(st.st_mode)) {
        *ret_exit =
            fail_words(EXIT_EVIDENCE, path, "not a file, folder or block device", "give the image file");
    } else if (strcmp(type, "auto") != 0 && (strcmp(type, "folder") == 0) != S_ISDIR(st.st_mode)) {
        *ret_exit = fail_words(EXIT_EVIDENCE, path, S_ISDIR(st.st_mode) ? "is a folder" : "is not a folder",
                               "leave --type out to let kvali find it");
    } else {
        return absolute;
    }
    free(absolute);
    return NULL;
}

/* The label that an exhibit with this path has, or the first free EX-<n>. */
static void default_label(const struct exhibit *exhibits, size_t count, const char *path, char *ret,
                          size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(exhibits[i].path, path)) {
            snprintf(ret, size, "%s", exhibits[i].label);
            return;
        }
    for (size_t n = 1;; n++) {
        snprintf(ret, size, "EX-%zu", n);
        size_t i = 0;
        while (i < count && strcmp(exhibits[i].label, ret) != 0)
            i++;
        if (i == count)
            return;
    }
}

int cli_add_exhibit(struct casefile *cf, const struct options *options, const char *path)
{
    int code = EXIT_DONE;
    const char *type = options_text(options, "type", "auto");
    char *absolute = check_evidence(path, type, &code);
    if (!absolute)
        return code;

    struct exhibit *exhibits = NULL;
    size_t count = 0;
    char label[PATH_MAX];
    struct why why = {0};
    uint64_t id = 0;
    int error = casefile_exhibits(cf, &exhibits, &count);
    if (error == 0) {
        default_label(exhibits, count, absolute, label, sizeof label);
        const char *wanted = options_text(options, "exhibit", label);
        error = casefile_add_exhibit(cf, wanted, absolute, type, &id, &why);
        if (error == 0 && !options->quiet)
            cli_print("%s: %s\n", wanted, absolute);
    }
    if (error < 0)
        code = fail(error == -EEXIST ? EXIT_USAGE : exit_code_of_case(error), path, error, &why,
                    error == -EEXIST ? "give it another label with --exhibit" : NULL);
    exhibits_free(exhibits, count);
    free(absolute);
    return code;
}

static int run(const struct options *options)
{
    struct why why = {0};
    const char *type = options_text(options, "type", "auto"), *label = options_text(options, "exhibit", "-");
    if (!is_type(type)) {
        why_set(&why, -EINVAL, "--type: there is no such type; expected %s", specs[1].what);
        return fail_usage("add", &why);
    }
    if (!*label) {
        why_set(&why, -EINVAL, "--exhibit: the label is empty");
        return fail_usage("add", &why);
    }
    if (options_has(options, "exhibit") && options->arg_count > 2) {
        why_set(&why, -EINVAL, "--exhibit names one exhibit, but there are %zu paths: add them one by one",
                options->arg_count - 1);
        return fail_usage("add", &why);
    }

    int code = EXIT_DONE;
    struct casefile *cf = NULL;
    if (cli_open_case(options->args[0], CASEFILE_WRITE, &cf, &code) < 0)
        return code;
    for (size_t i = 1; i < options->arg_count && code == EXIT_DONE; i++)
        code = cli_add_exhibit(cf, options, options->args[i]);
    casefile_close(cf);
    if (code == EXIT_DONE && !options->quiet)
        cli_print("Next: kvali run %s\n", options->args[0]);
    return code;
}

const struct command command_add = {
    .name = "add",
    .summary = "record exhibits in a case",
    .usage = "CASE PATH... [options]",
    .help = "Writes each PATH (an image file, the first segment of a segmented image, a block device, a "
            "folder or a single\n"
            "file) into the case and its ledger. Nothing is parsed yet: `kvali run` does that. Adding the "
            "same path\n"
            "under the same label again changes nothing.",
    .example = "  kvali add /srv/cases/2026-001 /evidence/disk.E01 --exhibit 2026-001/3\n"
               "  kvali add /srv/cases/2026-001 /evidence/*.E01        # EX-1, EX-2 …",
    .exits = "  3  a PATH does not exist or cannot be read; those before it are recorded",
    .options = specs,
    .min_args = 2,
    .run = run,
};
