/* kvali hashset import: other programs' hash sets into one of ours. */
#include "engine/cli/cmd_hashset.h"

#include "cases/hashsets/import.h"
#include "cases/hashsets/store.h"
#include "engine/base/log.h"
#include "engine/base/when.h"
#include "engine/cli/progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

struct showing {
    bool quiet, terminal;
    int64_t begun, shown;
    const char *phase;
};

/* Of each phase by itself: how much, how fast, how long still. */
static int show(void *context, const struct import_progress *now)
{
    struct showing *showing = context;
    int64_t time = when_monotonic(), every = showing->terminal ? SECOND / 5 : 5 * SECOND;
    double spent, left, share;

    if (stop)
        return -EINTR;
    if (showing->phase != now->phase) {
        showing->phase = now->phase;
        showing->begun = time;
    }
    if (showing->quiet || time - showing->shown < every)
        return 0;
    showing->shown = time;
    spent = (double)(time - showing->begun) / (double)SECOND;
    share = now->size > 0 ? (double)now->done / (double)now->size : 0;
    left = share > 0 ? spent / share - spent : 0;
    fprintf(stderr, "%s%s: %d%%, %llu rows, %d:%02d left%s", showing->terminal ? "\r\033[K" : "", now->phase,
            (int)(100 * (share < 1 ? share : 1)), (unsigned long long)now->rows, (int)(left / 60),
            (int)left % 60, showing->terminal ? "" : "\n");
    return 0;
}

static int tell(const struct options *options, char **files, const struct import_result *results,
                size_t count, uint64_t labels_lost, const char *path)
{
    int code = EXIT_DONE;

    for (size_t i = 0; i < count; i++) {
        if (!options->quiet)
            cli_print("%s: %s, %llu lines, %llu rows\n", files[i], results[i].format,
                      (unsigned long long)results[i].lines, (unsigned long long)results[i].rows);
        if (results[i].bad > 0)
            code = EXIT_FAULTS,
            log_warn("%s: %llu lines hold no hash where one belongs, the first is line %llu", files[i],
                     (unsigned long long)results[i].bad, (unsigned long long)results[i].first_bad);
    }
    if (labels_lost > 0)
        code = EXIT_FAULTS,
        log_warn("%llu rows are without category, series and tags: more than 64 MiB of different ones",
                 (unsigned long long)labels_lost);
    if (!options->quiet)
        cli_print("%s\n", path);
    return code;
}

static int failed(int code, const struct why *why)
{
    switch (-code) {
    case EINTR:
        return fail_words(EXIT_STOPPED, NULL, "stopped; nothing is left of it", NULL);
    case EBADMSG:
    case EINVAL:
    case EISDIR:
    case ENOENT:
    case EOVERFLOW:
        return fail(EXIT_USAGE, NULL, code, why, NULL);
    case EEXIST:
        return fail(EXIT_USAGE, NULL, code, why, "--replace puts the new set in its place");
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return fail(EXIT_ENVIRONMENT, NULL, code, why,
                    "make room on the disk: the set's size twice over is needed; nothing is left of it");
    default:
        return fail(EXIT_ENVIRONMENT, NULL, code, why, NULL);
    }
}

int hashset_import(const struct options *options, char **args, size_t count)
{
    struct showing showing = {.quiet = options->quiet, .terminal = isatty(STDERR_FILENO)};
    struct import_options import = {.name = args[0],
                                    .replace = options_has(options, "replace"),
                                    .memory = UINT64_C(1) << 30,
                                    .each = show,
                                    .context = &showing};
    struct import_result *results = calloc(count, sizeof results[0]);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct buf path = {0};
    struct why why = {{0}};
    uint64_t labels_lost = 0;
    int exit_code = EXIT_DONE, code = results != NULL ? 0 : -ENOMEM;

    if (code == 0 && hashset_kind_option(options, &import.kind, &exit_code) < 0) {
        free(results);
        return exit_code;
    }
    if (code == 0)
        code = options_size(options, "memory", &import.memory, &why);
    if (code == 0)
        code = store_path(hashset_folder(options), args[0], true, &path, &why);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    import.path = buf_cstr(&path);
    if (code == 0)
        code = import_files(&import, (const char *const *)args + 1, count - 1, results, &labels_lost, &why);
    if (showing.terminal && !showing.quiet)
        fputs("\r\033[K", stderr);
    exit_code = code == 0 ? tell(options, args + 1, results, count - 1, labels_lost, buf_cstr(&path))
                          : failed(code, &why);
    buf_finish(&path);
    free(results);
    return exit_code;
}
