/* kvali report: writes the reports of a case. */
#include "engine/cli/job_cli.h"

#include "cases/report/report.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdio.h>

static const struct option_spec specs[] = {
    {"format", 'f', "FORMAT",
     "html or json; may be given again (default: both)\n"
     "html: for people, one file that opens offline and prints on A4\n"
     "json: the same for programs"},
    {"lang", 'l', "LANG", "en or ka; what has no Georgian label yet stays English (default: en)"},
    {"stdout", 0, NULL,
     "Write one format to standard output and record nothing: for a case\n"
     "that may only be read"},
    {NULL, 0, NULL, NULL},
};

/* The formats that are asked for, all when none is. */
static int choose(const struct options *options, const struct report_format *ret_formats[REPORT_FORMATS_MAX],
                  size_t *ret_count, struct why *why)
{
    size_t count = 0, all = 0;
    const char *name;
    for (size_t i = 0; (name = options_nth(options, "format", i)); i++) {
        const struct report_format *format = report_format_find(name);
        if (!format || count == REPORT_FORMATS_MAX)
            return why_set(why, -EINVAL, "--format: there is no such format; expected html or json");
        ret_formats[count++] = format;
    }
    const struct report_format *formats = report_formats(&all);
    for (size_t i = 0; count == 0 && i < all; i++)
        ret_formats[i] = &formats[i];
    *ret_count = count ? count : all;
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
    struct report_options what = {.formats = formats, .now = when_now()};
    struct report_written written = {0};
    struct why why = {0};
    if (choose(options, formats, &what.format_count, &why) < 0 || choose_lang(options, &what.lang, &why) < 0)
        return fail_usage("report", &why);
    int error = report_write(cf, &what, &written, &why);
    for (size_t i = 0; i < written.count; i++)
        if (!options->quiet)
            cli_print("Report: %s\n", written.paths[i]);
    report_written_finish(&written);
    return error < 0 ? fail(exit_code_of_case(error), casefile_folder(cf), error, &why,
                            error == -ENOSPC ? "make room and run `kvali report` again" : NULL)
                     : EXIT_DONE;
}

static int print_report(const struct options *options)
{
    const struct report_format *formats[REPORT_FORMATS_MAX];
    enum report_lang lang = REPORT_EN;
    size_t count = 0;
    struct why why = {0};
    struct casefile *cf = NULL;
    int code = EXIT_DONE;
    if (choose(options, formats, &count, &why) < 0 || choose_lang(options, &lang, &why) < 0)
        return fail_usage("report", &why);
    if (count != 1) {
        why_set(&why, -EINVAL, "--stdout writes one format: say which with --format");
        return fail_usage("report", &why);
    }
    if (cli_open_case(options->args[0], CASEFILE_READ, &cf, &code) < 0)
        return code;
    struct buf buf = {0};
    int error = report_render(cf, formats[0], lang, when_now(), &buf, &why);
    if (error < 0)
        code = fail(exit_code_of_case(error), options->args[0], error, &why, "run `kvali verify` on it");
    else
        fwrite(buf.data, 1, buf.size, stdout);
    buf_finish(&buf);
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
            "says so on its first screen.",
    .example = "  kvali report /srv/cases/2026-001\n"
               "  kvali report /srv/cases/2026-001 --format html --lang ka\n"
               "  kvali report /srv/cases/2026-001 --format json --stdout | jq .summary",
    .options = specs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
