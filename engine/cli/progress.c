/*
 * progress: what a waiting examiner wants to know: how much is done, how fast, how long still, and did
 * anything go wrong.
 */
#include "engine/cli/progress.h"

#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static bool line_shown; /* for the log's hook, which has no context */

static void clear_line(void)
{
    if (line_shown)
        fputs("\r\033[K", stderr);
    line_shown = false;
}

int progress_init(struct progress *progress, const char *events_path, bool quiet, struct why *why)
{
    *progress = (struct progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO)};
    if (events_path && strcmp(events_path, "-") == 0)
        progress->events = stdout;
    else if (events_path && !(progress->events = fopen(events_path, "ae")))
        return why_set(why, -errno, "%s: %s", events_path, strerror(errno));
    log_set_hook(clear_line);
    return 0;
}

void progress_finish(struct progress *progress)
{
    clear_line();
    log_set_hook(NULL);
    if (progress->events && progress->events != stdout && fclose(progress->events))
        log_warn("the events file could not be written: %s", strerror(errno));
    progress->events = NULL;
}

const char *progress_bytes(double bytes, char *ret, size_t size)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    while (bytes >= 1000 && unit < 5) {
        bytes /= 1000;
        unit++;
    }
    snprintf(ret, size, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return ret;
}

static const char *duration(int64_t seconds, char *ret, size_t size)
{
    if (seconds < 0)
        snprintf(ret, size, "still listing");
    else if (seconds < 3600)
        snprintf(ret, size, "%d:%02d left", (int)(seconds / 60), (int)(seconds % 60));
    else
        snprintf(ret, size, "%d h %02d min left", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    return ret;
}

static void write_event(struct progress *progress, const struct job_progress *now)
{
    char time[WHEN_TEXT_SIZE];
    fprintf(progress->events,
            "{\"time\":\"%s\",\"event\":\"progress\",\"phase\":\"%s\",\"streams_done\":%" PRIu64
            ",\"streams_known\":%" PRIu64 ",\"bytes_done\":%" PRIu64 ",\"bytes_known\":%" PRIu64
            ",\"faults\":%" PRIu64 ",\"bytes_per_second\":%.0f,\"eta_seconds\":%" PRId64 ",\"workers\":%u}\n",
            when_format_ms(when_now(), time), now->phase, now->streams_done, now->streams_known,
            now->bytes_done, now->bytes_known, now->faults, now->rate, now->eta, now->workers);
    fflush(progress->events);
}

static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

void progress_show(void *context, const struct job_progress *now)
{
    struct progress *progress = context;
    int64_t time = when_monotonic();
    if (time - progress->shown < (progress->terminal ? SECOND / 5 : SECOND))
        return;
    progress->shown = time;
    if (progress->events)
        write_event(progress, now);
    if (progress->quiet)
        return;
    char done[32], known[32], rate[32], left[32], counted[40] = "", line[320];
    if (progress->found)
        snprintf(counted, sizeof counted, "  %" PRIu64 " found", progress->found);
    int percent = now->bytes_known ? (int)(100.0 * (double)now->bytes_done / (double)now->bytes_known) : 0;
    snprintf(line, sizeof line,
             "%s: %d%%  %s of %s  %" PRIu64 " of %" PRIu64 " contents  %s/s  %s  %" PRIu64 " faults%s",
             now->phase, percent, progress_bytes((double)now->bytes_done, done, sizeof done),
             progress_bytes((double)now->bytes_known, known, sizeof known), now->streams_done,
             now->streams_known, progress_bytes(now->rate, rate, sizeof rate),
             duration(now->eta, left, sizeof left), now->faults, counted);
    if (!progress->terminal) {
        fprintf(stderr, "%s\n", line);
        return;
    }
    fprintf(stderr, "\r\033[K%.*s", (int)terminal_width() - 1, line);
    fflush(stderr);
    line_shown = true;
}

void progress_event(void *context, const char *json)
{
    struct progress *progress = context;
    if (!progress->events)
        return;
    fprintf(progress->events, "%s\n", json);
    fflush(progress->events);
}

static void found_event(struct progress *progress, const struct job_found *found, const char *name)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_when(&json, "time", when_now());
    json_text(&json, "event", "found");
    json_text(&json, "kind", found->kind);
    json_text(&json, "name", name);
    json_text(&json, "path", found->path);
    json_bool(&json, "inside", found->inside);
    json_object_close(&json);
    if (!buf_failed(&buf))
        progress_event(progress, buf_cstr(&buf));
    buf_finish(&buf);
}

/* Is it the first of its name? When no more names can be kept, nothing is. */
static bool is_new(struct progress *progress, const char *words)
{
    for (size_t i = 0; i < progress->name_count; i++)
        if (strcmp(progress->names[i], words) == 0)
            return false;
    if (progress->name_count < PROGRESS_NAMES)
        snprintf(progress->names[progress->name_count], PROGRESS_NAME_SIZE, "%s", words);
    return progress->name_count++ < PROGRESS_NAMES;
}

static void show_found(struct progress *progress, const struct job_found *found, const char *name)
{
    char words[PROGRESS_NAME_SIZE];
    snprintf(words, sizeof words, "%s %s", found->kind, name);
    bool new_name = is_new(progress, words);
    if (!new_name && progress->name_count <= PROGRESS_NAMES)
        return;
    clear_line();
    if (new_name)
        fprintf(stderr, "found: %s %s: %s%s\n", found->kind, name, found->path, found->inside ? ", inside" : "");
    else
        fprintf(stderr, "found: more names than are shown here; the report has all\n");
}

void progress_found(void *context, const struct job_found *found)
{
    struct progress *progress = context;
    struct buf name = {0};
    progress->found++;
    text_escape(&name, found->name, found->name_size);
    if (progress->events)
        found_event(progress, found, buf_cstr(&name));
    if (!progress->quiet && progress->name_count <= PROGRESS_NAMES)
        show_found(progress, found, buf_cstr(&name));
    buf_finish(&name);
}
