/* kvali process: new + add + run + report, in one go. */
#include "engine/cli/job_cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct option_spec specs[] = {
    {"case", 'c', "FOLDER", "The case: made when it is not there, gone on with when it is"},
    {"exhibit", 'x', "LABEL", "The investigator's number of the exhibit (default: EX-1, EX-2 …)"},
    {"type", 't', "TYPE", "auto, raw, split, ewf, aff, vmdk, vhd, vhdx, qcow, file or folder (default: auto)"},
    {"number", 'n', "NUMBER", "The case number as the lab writes it (default: the folder's name)"},
    {"examiner", 0, "NAME", "Who examines (default: the login name)"},
    {"lang", 'l', "LANG", "Language of the report: en or ka (default: en)"},
    JOB_CLI_OPTIONS,
    {NULL, 0, NULL, NULL},
};

static bool is_case(const char *folder)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/case.db", folder);
    return stat(path, &st) == 0;
}

static int make_case(const struct options *options, const char *folder)
{
    struct why why = {{0}};
    if (is_case(folder))
        return EXIT_DONE;
    int error = casefile_create(folder, options_text(options, "number", NULL),
                                options_text(options, "examiner", NULL), &why);
    if (error == -EEXIST && is_case(folder)) /* made meanwhile: whoever is at work there holds it */
        return EXIT_DONE;
    if (error < 0)
        return fail(error == -ENOENT ? EXIT_ENVIRONMENT : exit_code_of_case(error), folder, error, &why,
                    "choose a folder that can be made");
    return EXIT_DONE;
}

/* Before a case is made for it: is the evidence there at all? */
static int look(const struct options *options)
{
    for (size_t i = 0; i < options->arg_count; i++) {
        struct stat st;
        if (stat(options->args[i], &st))
            return fail(EXIT_EVIDENCE, options->args[i], errno, NULL, "check the path of the evidence");
        if (S_ISREG(st.st_mode) && st.st_size == 0)
            return fail_words(EXIT_EVIDENCE, options->args[i], "the file is empty",
                              "give the image file; was the copy cut off?");
    }
    return EXIT_DONE;
}

/* "disk.E01" becomes "disk.case" beside the caller. */
static const char *default_case(const char *image, char *ret, size_t size)
{
    const char *slash = strrchr(image, '/');
    const char *name = slash && slash[1] ? slash + 1 : image;
    const char *dot = strrchr(name, '.');
    int length = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    snprintf(ret, size, "%.*s.case", length, name);
    return ret;
}

static int run(const struct options *options)
{
    char folder_text[512];
    const char *folder = options_text(options, "case", NULL);
    struct why why = {{0}};
    if (options->arg_count > 1 && options_has(options, "exhibit")) {
        why_set(&why, -EINVAL, "--exhibit names one exhibit, but there are %zu images", options->arg_count);
        return fail_usage("process", &why);
    }
    int code = look(options);
    if (code)
        return code;
    if (!folder)
        folder = default_case(options->args[0], folder_text, sizeof folder_text);
    code = make_case(options, folder);
    if (code)
        return code;
    struct casefile *cf = NULL;
    if (cli_open_case(folder, CASEFILE_WRITE, &cf, &code) < 0)
        return code;
    for (size_t i = 0; code == EXIT_DONE && i < options->arg_count; i++)
        code = cli_add_exhibit(cf, options, options->args[i]);
    if (code == EXIT_DONE)
        code = job_cli_run(cf, options, "process");
    bool reportable = code == EXIT_DONE || code == EXIT_FAULTS || code == EXIT_EVIDENCE;
    int report = reportable ? cli_write_report(cf, options) : EXIT_DONE;
    casefile_close(cf);
    return code ? code : report;
}

const struct command command_process = {
    .name = "process",
    .summary = "from image to case and report in one go: new + add + run + report",
    .usage = "IMAGE... --case FOLDER [options]",
    .help = "Makes the case FOLDER (or goes on with it), adds each IMAGE as an exhibit, lists and examines "
            "everything in\n"
            "it, and writes the report. IMAGE is a raw image, the first segment of a split or E01 image, "
            "AFF, VMDK, VHD, VHDX, QCOW2,\n"
            "a block device, or a folder. Without --case the folder is named after the first image.\n"
            "Calling it again after a stop goes on where it was, with the settings that it had.",
    .example = "  kvali process disk.E01 --case /srv/cases/2026-001\n"
               "  kvali process usb.raw phone.E01 --case /srv/cases/2026-002 --profile triage --jobs 4",
    .exits = "  1    done, and faults were recorded: the report lists them\n"
             "  3    evidence of at least one exhibit could not be opened\n"
             "  130  stopped by Ctrl-C or a signal; the same command goes on",
    .options = specs,
    .min_args = 1,
    .run = run,
};
