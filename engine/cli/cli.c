/* cli: what the commands share: exit codes, error messages, opening a case. See cli.h. */
#include "engine/cli/cli.h"

#include "cases/report/safe.h"
#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int exit_code_of(int error)
{
    switch (error < 0 ? -error : error) {
    case 0:
        return EXIT_DONE;
    case EINVAL:
        return EXIT_USAGE;
    case ENOENT:
    case ENODATA:
    case ENOTSUP:
    case ENOTDIR:
    case EISDIR:
    case ENXIO:
        return EXIT_EVIDENCE;
    case EUCLEAN:
    case EBUSY:
    case EPROTO:
    case EBADMSG:
    case EEXIST:
        return EXIT_CASE;
    default:
        return EXIT_ENVIRONMENT;
    }
}

int exit_code_of_case(int error)
{
    int code = exit_code_of(error);
    return code == EXIT_EVIDENCE ? EXIT_CASE : code;
}

int fail_words(int exit_code, const char *subject, const char *cause, const char *advice)
{
    struct buf line = {0};
    buf_text(&line, "kvali: ");
    size_t repeat = subject ? strlen(subject) : 0;
    if (repeat) {
        text_escape(&line, subject, repeat);
        buf_text(&line, ": ");
        if (!strncmp(cause, subject, repeat) && !strncmp(cause + repeat, ": ", 2))
            cause += repeat + 2; /* the lower layer named the file already */
    }
    safe_text(&line, cause, strlen(cause));
    if (advice)
        buf_printf(&line, "; %s", advice);
    fflush(stdout);
    fprintf(stderr, "%s\n", buf_cstr(&line));
    buf_finish(&line);
    return exit_code;
}

int fail(int exit_code, const char *subject, int error, const struct why *why, const char *advice)
{
    return fail_words(exit_code, subject,
                      why && why->text[0] ? why->text : strerror(error < 0 ? -error : error), advice);
}

int fail_usage(const char *command, const struct why *why)
{
    char advice[96];
    snprintf(advice, sizeof advice, "`kvali %s --help` shows how it is used", command);
    return fail(EXIT_USAGE, command, EINVAL, why, advice);
}

void cli_print(const char *format, ...)
{
    struct buf text = {0}, safe = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    const char *rest = buf_cstr(&text), *end = rest + text.size;
    while (rest < end) {
        size_t run = strcspn(rest, "\n\t");
        safe_text(&safe, rest, run);
        rest += run;
        if (rest < end)
            buf_u8(&safe, (uint8_t)*rest++);
    }
    fwrite(safe.data, 1, safe.size, stdout);
    buf_finish(&text);
    buf_finish(&safe);
}

static const char *advice_for_case(int error)
{
    switch (-error) {
    case ENOENT:
    case ENOTDIR:
        return "give the folder of a case, or make one with `kvali new`";
    case EBUSY:
        return "wait until the other run has ended; reading commands work meanwhile";
    case EUCLEAN:
        return "keep the folder as it is and run `kvali verify` on it to see what is damaged";
    case EPROTO:
        return "use the version of kvali that wrote it, or a newer one";
    case EACCES:
    case EPERM:
        return "check who may read and write the folder";
    case EROFS:
    case ENOSPC:
    case EDQUOT:
        return "make room or move the case to a disk that can be written";
    default:
        return NULL;
    }
}

int cli_open_case(const char *folder, enum casefile_mode mode, struct casefile **ret_case, int *ret_exit)
{
    struct why why = {0};
    int error = casefile_open(folder, mode, ret_case, &why);
    if (error < 0)
        *ret_exit = fail(exit_code_of_case(error), folder, error, &why, advice_for_case(error));
    return error;
}
