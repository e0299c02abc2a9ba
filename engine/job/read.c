/*
 * read: bytes of single contents for show and export, and questions to kvali-worker. The evidence is opened
 * and read by a sandboxed worker as in a run; the supervisor's side only passes bytes on.
 */
#include "engine/job/job.h"

#include "engine/base/text.h"
#include "engine/job/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPEN_SECONDS = 3600, READ_SECONDS = 300, ANSWER_MAX = 16 << 20, READ_PLUGINS_MAX = 32 };

/* One zygote, and a worker of it at a time, that reads a list of contents. */
struct session {
    const struct job_options *options;
    const struct job_read *reads;
    size_t count;
    int (*done)(void *context, size_t index, int code, uint64_t unread, const char *reason);
    void *context;
    struct why *why;
    struct settings settings;
    struct process_zygote zygote;
    char *plugins[READ_PLUGINS_MAX]; /* as the zygote set them up */
    size_t plugin_count;
    struct process_worker worker;
    bool alive, replays;
    int patience;     /* seconds without a heart beat */
    uint64_t exhibit; /* the index of the first content that lies in it */
    uint8_t *packet;
};

/* ------------------------------------------------------------------ lists of names */

/* The next name of a list with ',' or blanks between; NULL at the end. */
static const char *next_name(const char **list, size_t *ret_size)
{
    const char *name = *list + strspn(*list, ", ");
    *ret_size = strcspn(name, ", ");
    *list = name + *ret_size;
    return *ret_size ? name : NULL;
}

static bool list_has(const char *list, const char *wanted, size_t wanted_size)
{
    const char *name;
    size_t size;
    while ((name = next_name(&list, &size)))
        if (size == wanted_size && memcmp(name, wanted, size) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------------ starting */

/* The zygote sets up what found something in the contents around the wanted ones, and no more: rules that
 * only matched need not be there any more. What the run did not name among its built-in plugins came from the
 * lab. */
static int choose_plugins(struct session *s)
{
    const char *run = settings_text(s->options->settings, "plugins");
    struct buf names = {0};
    for (size_t i = 0; i < s->count; i++) {
        const char *list = s->reads[i].root ? s->reads[i].root->plugins : "", *name;
        size_t size;
        s->replays = s->replays || s->reads[i].root;
        if (i && s->reads[i].root == s->reads[i - 1].root)
            continue;
        while ((name = next_name(&list, &size)))
            if (list_has(run, name, size) && !list_has(buf_cstr(&names), name, size))
                buf_printf(&names, "%s%.*s", names.size ? "," : "", (int)size, name);
    }
    int code = buf_failed(&names) ? -ENOMEM : settings_set(&s->settings, "plugins", buf_cstr(&names), s->why);
    if (code == 0 && !s->replays)
        code = settings_set(&s->settings, "lab.plugins", "", s->why);
    buf_finish(&names);
    return code;
}

static int copy_settings(struct session *s)
{
    struct buf copy = {0};
    struct bytes bytes;
    int code = settings_init(&s->settings);
    settings_write(s->options->settings, &copy);
    bytes_init(&bytes, copy.data, copy.size);
    if (code == 0)
        code = buf_failed(&copy) ? -ENOMEM : settings_read(&s->settings, &bytes);
    buf_finish(&copy);
    return code ? why_set(s->why, code, "the settings: %s", strerror(-code)) : choose_plugins(s);
}

static int send_setup(struct session *s)
{
    struct wire *wire = &s->zygote.wire;
    struct buf *out = wire_begin(wire, WIRE_SETUP);
    buf_u32le(out, WIRE_VERSION);
    settings_write(&s->settings, out);
    wire_end(wire);
    for (size_t i = 0; i < s->count; i++) {
        if (i && strcmp(s->reads[i].exhibit_path, s->reads[i - 1].exhibit_path) == 0)
            continue; /* contents come grouped by exhibit; the first one's index is the exhibit's number */
        out = wire_begin(wire, WIRE_EXHIBIT);
        buf_u64le(out, i);
        buf_string(out, s->reads[i].exhibit_path);
        buf_string(out, s->reads[i].exhibit_type);
        wire_end(wire);
    }
    for (size_t i = 0; i < s->options->key_count; i++)
        process_send_key(&s->zygote, UINT64_MAX, &s->options->keys[i]);
    wire_begin(wire, WIRE_OPEN);
    wire_end(wire);
    return wire_flush(wire);
}

/* Did this message say all that it has to, and no more? */
static bool is_whole(const struct bytes *payload)
{
    return !bytes_failed(payload) && bytes_left(payload) == 0;
}

static int not_permitted(struct why *why)
{
    return why_set(why, -EPROTO, "kvali-worker said what it may not say");
}

static int take_reason(struct bytes *payload, struct why *why)
{
    int code = wire_errno(payload);
    const char *reason = bytes_string(payload);
    if (!is_whole(payload) || code == 0)
        return not_permitted(why);
    return why_set(why, code, "%s", reason);
}

static int take_plugin(struct session *s, struct bytes *payload)
{
    const char *name = bytes_string(payload);
    if (bytes_failed(payload) || s->plugin_count == READ_PLUGINS_MAX)
        return not_permitted(s->why);
    s->plugins[s->plugin_count] = strdup(name);
    return s->plugins[s->plugin_count++] ? 0 : -ENOMEM;
}

static int take_start(struct session *s, enum wire_type type, struct bytes *payload)
{
    if (type == WIRE_FATAL) {
        struct why inner = {{0}};
        int code = take_reason(payload, &inner);
        return why_set(s->why, code, "%s%s", s->replays ? "with the settings of the run that found it: " : "",
                       inner.text);
    }
    if (type == WIRE_IMAGE_FAILED) {
        bytes_u64le(payload);
        return take_reason(payload, s->why);
    }
    return type == WIRE_PLUGIN ? take_plugin(s, payload) : type == WIRE_ZYGOTE_READY;
}

static int wait_ready(struct session *s)
{
    for (;;) {
        int64_t size = process_receive(s->zygote.wire.fd, s->packet, OPEN_SECONDS);
        struct bytes bytes, payload;
        enum wire_type type;
        if (size <= 0)
            return why_set(s->why, -ECHILD, "kvali-worker ended while it opened the evidence");
        bytes_init(&bytes, s->packet, (size_t)size);
        while (wire_next(&bytes, &type, &payload)) {
            int code = take_start(s, type, &payload);
            if (code)
                return code > 0 ? 0 : code;
        }
        if (bytes_failed(&bytes))
            return not_permitted(s->why);
    }
}

/* ------------------------------------------------------------------ contents */

struct reading {
    size_t first, count; /* the contents that are being read */
    bool *told;          /* one for each: `done` was called */
    size_t now;          /* whose bytes come now; SIZE_MAX: nobody's */
    uint64_t came;       /* bytes of it so far */
    bool ended;
    int code; /* `done` or `each` wants it to end */
    bool enough;
    char reason[512];
};

static int tell(struct session *s, struct reading *r, size_t index, int code, uint64_t unread,
                const char *reason)
{
    r->told[index - r->first] = true;
    if (s->done)
        return s->done(s->context, index, code, unread, reason);
    return code ? why_set(s->why, code, "%s", reason[0] ? reason : strerror(-code)) : 0;
}

static int take_text(struct reading *r, struct bytes *payload, int *ret_code)
{
    int code = wire_errno(payload);
    const char *reason = bytes_string(payload);
    if (!is_whole(payload) || !text_is_utf8(reason, strlen(reason)))
        return -EPROTO;
    snprintf(r->reason, sizeof r->reason, "%s", reason[0] || code == 0 ? reason : strerror(-code));
    *ret_code = code;
    return 0;
}

static int take_data(struct session *s, struct reading *r, struct bytes *payload)
{
    size_t size;
    const uint8_t *data = bytes_blob(payload, &size);
    if (!is_whole(payload) || r->now == SIZE_MAX || size > s->reads[r->now].size - r->came)
        return -EPROTO;
    const struct job_read *read = &s->reads[r->now];
    r->came += size;
    int code = read->each(read->context, data, size);
    if (code)
        r->code = code;
    return code;
}

static int take_end(struct session *s, struct reading *r, struct bytes *payload)
{
    uint64_t unread = bytes_u64le(payload);
    size_t index = r->now;
    int result = 0, code = index == SIZE_MAX ? -EPROTO : take_text(r, payload, &result);
    if (code)
        return code;
    r->now = SIZE_MAX;
    r->ended = !s->reads[index].root;
    code = tell(s, r, index, result, unread, r->reason);
    r->enough = code != 0;
    return code;
}

static int take_found(const struct session *s, struct reading *r, struct bytes *payload)
{
    uint32_t number = bytes_u32le(payload);
    if (!is_whole(payload) || !s->reads[r->first].root || r->now != SIZE_MAX || number >= r->count ||
        r->told[number])
        return -EPROTO;
    r->now = r->first + number;
    r->came = 0;
    return 0;
}

static int take_replayed(struct session *s, struct reading *r, struct bytes *payload)
{
    int result = 0,
        code = r->now != SIZE_MAX || !s->reads[r->first].root ? -EPROTO : take_text(r, payload, &result);
    r->ended = code == 0;
    for (size_t i = 0; code == 0 && i < r->count; i++) {
        if (r->told[i])
            continue;
        code = tell(s, r, r->first + i, result ? result : -ESTALE, 0,
                    result ? r->reason
                           : "it was not found again in the content around it: the evidence, kvali or a "
                             "plugin has changed");
        r->enough = code != 0;
    }
    return code;
}

static int take(struct session *s, struct reading *r, enum wire_type type, struct bytes *payload)
{
    switch ((int)type) {
    case WIRE_DATA:
        return take_data(s, r, payload);
    case WIRE_READ_END:
        return take_end(s, r, payload);
    case WIRE_FOUND:
        return take_found(s, r, payload);
    case WIRE_REPLAYED:
        return take_replayed(s, r, payload);
    default:
        return type == WIRE_WORKER_READY ? 0 : -EPROTO;
    }
}

/* Waits as long as the heart beats: a replay may be silent for long. */
static int64_t receive(struct session *s)
{
    for (;;) {
        uint64_t beat = atomic_load(&s->worker.box->beat);
        int64_t size = process_receive(s->worker.wire.fd, s->packet, s->patience);
        if (size != -ETIMEDOUT || atomic_load(&s->worker.box->beat) == beat)
            return size;
    }
}

static int listen_to(struct session *s, struct reading *r)
{
    int code = 0;
    while (code == 0 && !r->ended) {
        int64_t size = receive(s);
        struct bytes bytes, payload;
        enum wire_type type;
        if (size <= 0)
            return size == -ETIMEDOUT ? -ETIMEDOUT : -ECHILD;
        bytes_init(&bytes, s->packet, (size_t)size);
        while (code == 0 && wire_next(&bytes, &type, &payload))
            code = take(s, r, type, &payload);
        if (code == 0 && bytes_failed(&bytes))
            code = -EPROTO;
    }
    return code;
}

static int send_read(struct session *s, const struct job_read *read)
{
    struct buf *out = wire_begin(&s->worker.wire, WIRE_READ);
    buf_u64le(out, s->exhibit);
    buf_string(out, read->locator);
    buf_u64le(out, read->offset);
    buf_u64le(out, read->size);
    wire_end(&s->worker.wire);
    return wire_flush(&s->worker.wire);
}

/* All plugins but those that found something in this content, as bits. */
static uint64_t without(const struct session *s, const struct job_root *root)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < s->plugin_count; i++)
        if (!list_has(root->plugins, s->plugins[i], strlen(s->plugins[i])))
            mask |= UINT64_C(1) << i;
    return mask;
}

static int send_replay(struct session *s, const struct job_read *reads, size_t count)
{
    struct wire *wire = &s->worker.wire;
    const struct job_root *root = reads->root;
    const char *slash = strrchr(root->path, '/');
    struct buf *out;
    for (size_t i = 0; i < count; i++) {
        out = wire_begin(wire, WIRE_WANT);
        buf_string(out, reads[i].path);
        buf_u64le(out, reads[i].offset);
        buf_u64le(out, reads[i].size);
        wire_end(wire);
    }
    out = wire_begin(wire, WIRE_REPLAY);
    buf_u64le(out, s->exhibit);
    buf_string(out, reads->locator);
    buf_string(out, root->path);
    buf_string(out, slash ? slash + 1 : root->path);
    buf_string(out, root->extension);
    buf_u32le(out, root->kind);
    buf_u8(out, root->deleted);
    buf_u64le(out, without(s, root));
    wire_end(wire);
    return wire_flush(wire);
}

static void stop_worker(struct session *s)
{
    if (!s->alive)
        return;
    kill(s->worker.pid, SIGKILL);
    waitpid(s->worker.pid, NULL, 0);
    process_finish_worker(&s->worker);
    s->alive = false;
}

/* Says of all that were not told yet why they are not there. */
static int tell_rest(struct session *s, struct reading *r, int result, const char *reason)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < r->count; i++)
        if (!r->told[i])
            code = tell(s, r, r->first + i, result, 0, reason);
    return code;
}

/* The plugin that found something in this content and is not there; NULL: all are. */
static const char *missing_plugin(const struct session *s, const struct job_root *root, size_t *ret_size)
{
    const char *list = root->plugins, *name;
    while ((name = next_name(&list, ret_size))) {
        size_t i = 0;
        while (i < s->plugin_count &&
               (strlen(s->plugins[i]) != *ret_size || memcmp(s->plugins[i], name, *ret_size) != 0))
            i++;
        if (i == s->plugin_count)
            return name;
    }
    return NULL;
}

static int tell_missing(struct session *s, struct reading *r, const char *name, size_t size)
{
    const char *files = s->reads[r->first].root->lab_plugins;
    snprintf(r->reason, sizeof r->reason,
             "the lab's own plugin %.*s is needed to find it again: give that with --plugin FILE.so (the run "
             "had %.300s)",
             (int)size, name, files[0] ? files : "none: it is a plugin of another version of kvali");
    return tell_rest(s, r, -ENOPKG, r->reason);
}

static int read_some(struct session *s, struct reading *r)
{
    const struct job_read *reads = &s->reads[r->first];
    const char *name = NULL;
    size_t size = 0;
    if (reads->root && (name = missing_plugin(s, reads->root, &size)))
        return tell_missing(s, r, name, size);
    int code = s->alive ? 0
                        : process_fork_worker(&s->zygote, (uint32_t)r->first, s->options->spool_folder,
                                              &s->worker, s->why);
    if (code)
        return code;
    s->alive = true;
    r->now = reads->root ? SIZE_MAX : r->first;
    code = reads->root ? send_replay(s, reads, r->count) : send_read(s, reads);
    if (code == 0)
        code = listen_to(s, r);
    if (code == 0)
        return 0;
    stop_worker(s); /* it died, hung or lied, or the receiver had enough: this worker is done with */
    if (r->enough)
        return code;
    if (r->code)
        code = r->code;
    return tell_rest(s, r, code,
                     code == -ECHILD      ? "the parser died while reading this content"
                     : code == -ETIMEDOUT ? "the parser hung while reading this content"
                                          : strerror(-code));
}

/* How many contents from `first` on one scan of their root gives; 1 for what has a locator of its own. */
static size_t together(const struct session *s, size_t first)
{
    size_t count = 1;
    while (s->reads[first].root && first + count < s->count &&
           s->reads[first + count].root == s->reads[first].root)
        count++;
    return count;
}

static int read_all(struct session *s)
{
    int code = 0;
    bool *told = calloc(s->count + 1, sizeof *told);
    if (!told)
        return why_set(s->why, -ENOMEM, "out of memory");
    for (size_t i = 0, count; code == 0 && i < s->count; i += count) {
        count = together(s, i);
        if (i && strcmp(s->reads[i].exhibit_path, s->reads[i - 1].exhibit_path) != 0)
            s->exhibit = i;
        struct reading reading = {.first = i, .count = count, .told = told + i, .now = SIZE_MAX};
        code = read_some(s, &reading);
    }
    stop_worker(s);
    free(told);
    return code;
}

int job_read(const struct job_options *options, const struct job_read *reads, size_t count,
             int (*done)(void *context, size_t index, int code, uint64_t unread, const char *reason),
             void *context, struct why *why)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    struct session s = {.options = options,
                        .reads = reads,
                        .count = count,
                        .done = done,
                        .context = context,
                        .why = why,
                        .zygote = {.errors = -1, .wire.fd = -1},
                        .worker = {.wire.fd = -1},
                        .packet = packet};
    int code = copy_settings(&s);
    uint64_t hang = settings_number(&s.settings, "limit.hang");
    s.patience = !s.replays || hang > OPEN_SECONDS ? READ_SECONDS : (int)hang;
    if (code == 0)
        code = process_start_zygote(options->worker_program, &s.zygote, why);
    if (code == 0 && send_setup(&s))
        code = why_set(why, -ECHILD, "kvali-worker does not answer");
    if (code == 0)
        code = wait_ready(&s);
    if (code == 0)
        code = read_all(&s);
    process_stop_zygote(&s.zygote);
    for (size_t i = 0; i < s.plugin_count; i++)
        free(s.plugins[i]);
    settings_finish(&s.settings);
    return code;
}

int job_ask(const char *worker_program, const char *argument, const char *more, char **ret_text, struct why *why)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC))
        return why_set(why, -errno, "no pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        char *const argv[] = {(char *)"kvali-worker", (char *)argument, (char *)more, NULL};
        if (dup2(out[1], 1) >= 0)
            execv(worker_program, argv);
        _exit(127);
    }
    close(out[1]);
    struct buf buf = {0};
    char block[4096];
    ssize_t size;
    while (pid > 0 && buf.size < ANSWER_MAX && (size = read(out[0], block, sizeof block)) > 0)
        buf_append(&buf, block, (size_t)size);
    close(out[0]);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 || buf_failed(&buf)) {
        buf_finish(&buf);
        return why_set(why, -ENOEXEC, "%s: it does not run", worker_program);
    }
    *ret_text = buf_steal(&buf);
    return *ret_text ? 0 : why_set(why, -ENOMEM, "out of memory");
}
