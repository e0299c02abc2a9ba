/* kvali report: writes the reports of a case. */
#include "engine/cli/job_cli.h"

#include "cases/report/report.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const struct option_spec specs[] = {
    {"format", 'f', "FORMAT",
     "May be given again (default: html and json)\n"
#define FORMAT(name, extension, writer, usual, of_views, what) name ": " what "\n"
#include "cases/report/report_formats.inc"
#undef FORMAT
     "Each is a file of its own: report-0001.html ..."},
    {"lang", 'l', "LANG", "For people: en (default) or ka"},
    {"view", 0, "VIEW", "csv, jsonl: only this view of the case (default: a file for each)"},
    {"stdout", 0, NULL,
     "Write one format to standard output and record nothing: for a case\n"
     "that may only be read"},
    {NULL, 0, NULL, NULL},
};

/* Its name in the list of all formats. */
static int no_format(const char *name, struct why *why)
{
    char names[256] = "";
    size_t all = 0, size = 0;
    const struct report_format *formats = report_formats(&all);
    for (size_t i = 0; i < all && size < sizeof names; i++)
        size += (size_t)snprintf(names + size, sizeof names - size, "%s%s", i ? ", " : "", formats[i].name);
    return why_set(why, -EINVAL, "--format %.40s: there is no such format; expected one of %s", name, names);
}

/* The formats that are asked for, the usual ones when none is. */
static int choose(const struct options *options, const struct report_format *ret_formats[REPORT_FORMATS_MAX],
                  size_t *ret_count, struct why *why)
{
    size_t count = 0, all = 0;
    const char *name;
    for (size_t i = 0; (name = options_nth(options, "format", i)); i++) {
        const struct report_format *format = report_format_find(name);
        if (!format || count == REPORT_FORMATS_MAX)
            return no_format(name, why);
        ret_formats[count++] = format;
    }
    const struct report_format *formats = report_formats(&all);
    bool asked = count > 0;
    for (size_t i = 0; !asked && i < all; i++)
        if (formats[i].usual)
            ret_formats[count++] = &formats[i];
    *ret_count = count;
    return 0;
}

static int choose_lang(const struct options *options, enum report_lang *ret_lang, struct why *why)
{
    if (!report_lang_parse(options_text(options, "lang", "en"), ret_lang))
        return why_set(why, -EINVAL, "--lang: there is no such language; expected en or ka");
    return 0;
}

int cli_write_report(struct casefile *cf, const struct options *options)
{
    const struct report_format *formats[REPORT_FORMATS_MAX];
    struct report_options what = {.formats = formats, .now = WHEN_NONE, .view = options_text(options, "view", NULL)};
    struct report_written written = {0};
    struct why why = {0};
    if (choose(options, formats, &what.format_count, &why) < 0 || choose_lang(options, &what.lang, &why) < 0)
        return fail_usage("report", &why);
    int error = report_write(cf, &what, &written, &why);
    for (size_t i = 0; i < written.count; i++)
        if (!options->quiet)
            cli_print("Report: %s\n", written.paths[i]);
    if (written.part_count > 0 && !options->quiet)
        cli_print("        with %llu data files beside the HTML, %.1f MiB in all\n", (unsigned long long)written.part_count,
                  (double)written.part_bytes / 1048576);
    report_written_finish(&written);
    return error < 0 ? fail(exit_code_of_case(error), casefile_folder(cf), error, &why,
                            error == -ENOSPC ? "make room and run `kvali report` again" : NULL)
                     : EXIT_DONE;
}

static int print_report(const struct options *options)
{
    const struct report_format *formats[REPORT_FORMATS_MAX];
    struct report_options what = {.formats = formats, .now = WHEN_NONE, .view = options_text(options, "view", NULL)};
    struct why why = {0};
    struct casefile *cf = NULL;
    int code = EXIT_DONE;
    if (choose(options, formats, &what.format_count, &why) < 0 || choose_lang(options, &what.lang, &why) < 0)
        return fail_usage("report", &why);
    if (what.format_count != 1 || (formats[0]->of_views && !what.view)) {
        why_set(&why, -EINVAL, what.format_count != 1 ? "--stdout writes one format: say which with --format"
                                                      : "--stdout writes one view: say which with --view");
        return fail_usage("report", &why);
    }
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &code) < 0)
        return code;
    int error = report_print(cf, &what, STDOUT_FILENO, &why);
    if (error < 0)
        code = fail(exit_code_of_case(error), options->args[0], error, &why, error == -EPIPE ? NULL : "run `kvali verify` on it");
    casefile_close(cf);
    return code;
}

static int run(const struct options *options)
{
    struct casefile *cf = NULL;
    int code = EXIT_DONE;
    if (options_has(options, "stdout"))
        return print_report(options);
    if (cli_open_case(options->args[0], CASEFILE_WRITE, &cf, &code) < 0)
        return code;
    code = cli_write_report(cf, options);
    casefile_close(cf);
    return code;
}

const struct command command_report = {
    .name = "report",
    .summary = "write the reports of a case",
    .usage = "CASE [options]",
    .help = "Writes CASE/reports/report-0001.html and .json, with the next number each time: a report is "
            "never overwritten,\n"
            "and its SHA-256 goes into the ledger. A report can be written at any time; while processing is "
            "not complete it\n"
            "says so on its first screen. It states the case as of the ledger's last record that is no report, and nothing\n"
            "of when it was written: the same case gives the same bytes.",
    .example = "  kvali report /srv/cases/2026-001\n"
               "  kvali report /srv/cases/2026-001 --format html --lang ka\n"
               "  kvali report /srv/cases/2026-001 --format case-uco --format dfxml\n"
               "  kvali report /srv/cases/2026-001 --format csv --view match --stdout\n"
               "  kvali report /srv/cases/2026-001 --format json --stdout | jq .summary",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
