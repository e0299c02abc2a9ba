/*
 * startup: the zygote's first words: plugins with their record types, what they loaded, versions, the evidence as it
 * opened. The zygote has not read evidence when it tells plugins; what it says of images is checked like a worker's word.
 */
#include "engine/job/supervisor.h"

#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* How long opening one exhibit may take, how often it may kill the zygote, and how often the zygote may die for no reason. */
enum { SETUP_SECONDS = 900, OPEN_DEATHS = 2, STARTS = 5 };

static void free_types(struct record_type **types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_type_free(types[i]);
    free(types);
}

void startup_forget(struct supervisor *s)
{
    for (size_t i = 0; i < s->plugin_count; i++) {
        free(s->plugins[i].name);
        free_types(s->plugins[i].types, s->plugins[i].type_count);
    }
    s->plugin_count = 0;
    free(s->versions);
    free(s->sandbox_zygote);
    free(s->sandbox_worker);
    buf_finish(&s->loaded);
    buf_finish(&s->loaded_lines);
}

/* ------------------------------------------------------------------ one message each */

static int read_types(struct bytes *payload, uint32_t count, struct record_type ***ret_types)
{
    if (count > RECORD_FIELDS_MAX)
        return -EPROTO;
    struct record_type **types = calloc(count + 1, sizeof *types);
    if (!types)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        int code = record_type_read(payload, &types[i]);
        if (code) {
            free_types(types, i);
            return code == -ENOMEM ? code : -EPROTO;
        }
    }
    *ret_types = types;
    return 0;
}

static int take_plugin(struct supervisor *s, struct bytes *payload)
{
    const char *name = bytes_string(payload);
    uint32_t version = bytes_u32le(payload);
    bytes_string(payload); /* summary */
    bool content_only = bytes_u8(payload);
    uint32_t count = bytes_u32le(payload);
    if (bytes_failed(payload) || s->plugins_seen == PLUGINS_MAX)
        return -EPROTO;
    uint32_t index = (uint32_t)s->plugins_seen++;
    if (index < s->plugin_count) { /* an earlier zygote told it: it must be the same */
        bool same = strcmp(s->plugins[index].name, name) == 0 && s->plugins[index].version == version;
        return same ? 0 : -EPROTO;
    }
    if (s->registered)
        return -EPROTO;
    struct plugin_known known = {.name = strdup(name), .version = version, .type_count = count,
                                 .content_only = content_only};
    int code = known.name ? read_types(payload, count, &known.types) : -ENOMEM;
    if (code) {
        free(known.name);
        return code;
    }
    s->plugins[s->plugin_count++] = known;
    return supervisor_written(s, writer_plugin(s->writer, index, name, version, known.types, count));
}

/* For the ledger, as it goes to the database. */
static void keep_loaded(struct supervisor *s, const char *plugin, const char *kind, const char *name, const char *sha256,
                        uint64_t count, const char *problem)
{
    struct buf one = {0};
    struct json json;
    json_init(&json, &one);
    json_object_open(&json, NULL);
    json_text(&json, "plugin", plugin);
    json_text(&json, "kind", kind);
    json_text(&json, "name", name);
    json_text(&json, "sha256", sha256);
    json_u64(&json, "count", count);
    json_text(&json, "problem", problem);
    json_object_close(&json);
    buf_printf(&s->loaded_lines, "loaded %s\n", buf_cstr(&one));
    if (buf_failed(&one))
        s->loaded.failed = true;
    else
        buf_printf(&s->loaded, "%s%s", s->loaded.size > 0 ? "," : "", buf_cstr(&one));
    buf_finish(&one);
}

static int take_loaded(struct supervisor *s, struct bytes *payload)
{
    const char *plugin = bytes_string(payload), *kind = bytes_string(payload), *name = bytes_string(payload);
    const char *sha256 = bytes_string(payload);
    uint64_t count = bytes_u64le(payload);
    bool has_problem = bytes_u8(payload);
    const char *problem = bytes_string(payload);
    if (bytes_failed(payload))
        return -EPROTO;
    if (++s->loaded_seen <= s->loaded_count)
        return 0; /* an earlier zygote told it */
    s->loaded_count = s->loaded_seen;
    if (has_problem)
        log_warn("%s: %s", plugin, problem);
    keep_loaded(s, plugin, kind, name, sha256, count, has_problem ? problem : NULL);
    return supervisor_written(
        s, writer_run_loaded(s->writer, s->run, plugin, kind, name, sha256, count, has_problem ? problem : NULL));
}

static int replace_text(char **text, const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    if (!copy)
        return value ? -ENOMEM : -EPROTO;
    free(*text);
    *text = copy;
    return 0;
}

static int image_failed(struct supervisor *s, struct exhibit_state *exhibit, const char *reason)
{
    if (!exhibit->failed) {
        s->result.exhibits_failed++;
        log_error("%s", reason);
        snprintf(s->result.failure, sizeof s->result.failure, "%s", reason);
        supervisor_event(s, "evidence-failed", "reason", reason, "exhibit", exhibit->id);
    }
    exhibit->ready = false;
    exhibit->failed = true;
    return supervisor_written(s, writer_image_failed(s->writer, exhibit->id, reason));
}

/* A case does not mix two images: this exhibit is left alone, the others are gone on with. A later pass looks at all that
 * was examined, or not at all. */
static int image_again(struct supervisor *s, struct exhibit_state *exhibit, const struct writer_image *image)
{
    struct why why = {{0}};
    int code = writer_image_again(s->writer, exhibit->id, image, &why);
    if (code == -ESTALE && (later(s) || part(s)))
        return supervisor_fail(s, code, "%s", why.text);
    exhibit->refused = code == -ESTALE;
    return exhibit->refused ? image_failed(s, exhibit, why.text) : supervisor_written(s, code);
}

static int take_image(struct supervisor *s, struct bytes *payload)
{
    uint64_t id = bytes_u64le(payload);
    struct writer_image image = {0}; /* field by field: the order of initialisers is not defined */
    image.name = bytes_string(payload);
    image.type = bytes_string(payload);
    image.details = bytes_string(payload);
    image.unsupported = bytes_string(payload);
    image.damage = bytes_string(payload);
    const char *root = bytes_string(payload);
    image.size = bytes_u64le(payload);
    uint64_t stored = bytes_u64le(payload);
    image.sector_size = bytes_u32le(payload);
    image.segments = bytes_u32le(payload);
    image.hash_count = bytes_u32le(payload);
    if (image.hash_count > 8)
        return -EPROTO;
    for (size_t i = 0; i < image.hash_count * 3; i++)
        image.hashes[i / 3][i % 3] = bytes_string(payload);
    struct exhibit_state *exhibit = exhibit_state(s, id);
    if (bytes_failed(payload) || !exhibit)
        return -EPROTO;
    if (exhibit->refused)
        return 0;
    exhibit->ready = true;
    exhibit->stored = stored;
    exhibit->failed = false;
    int code = exhibit->told || !s->options->again ? image_again(s, exhibit, &image) : 0;
    if (code || exhibit->failed || exhibit->told)
        return code;
    exhibit->told = true;
    s->result.exhibits_opened++;
    supervisor_event(s, "evidence", "name", image.name, "bytes", image.size);
    if (image.damage[0] != '\0')
        log_warn("%s: is damaged: %s", image.name, image.damage);
    if (later(s) || part(s))
        return 0;
    code = writer_image(s->writer, id, &image);
    if (code == 0)
        code = writer_expand_add(s->writer, id, root, "");
    return supervisor_written(s, code);
}

static int take_image_failed(struct supervisor *s, struct bytes *payload)
{
    uint64_t id = bytes_u64le(payload);
    bytes_u32le(payload);
    const char *reason = bytes_string(payload);
    struct exhibit_state *exhibit = exhibit_state(s, id);
    if (bytes_failed(payload) || !exhibit)
        return -EPROTO;
    return image_failed(s, exhibit, reason);
}

static int take_fatal(struct supervisor *s, struct bytes *payload)
{
    int code = wire_errno(payload);
    const char *reason = bytes_string(payload);
    if (bytes_failed(payload) || code >= 0)
        return -EPROTO;
    return supervisor_fail(s, code, "%s", reason);
}

/* 1 when the zygote is ready. */
static int take(struct supervisor *s, enum wire_type type, struct bytes *payload)
{
    switch ((int)type) {
    case WIRE_PLUGIN:
        return take_plugin(s, payload);
    case WIRE_LOADED:
        return take_loaded(s, payload);
    case WIRE_VERSIONS:
        return replace_text(&s->versions, bytes_string(payload));
    case WIRE_IMAGE:
        return take_image(s, payload);
    case WIRE_IMAGE_FAILED:
        return take_image_failed(s, payload);
    case WIRE_FATAL:
        return take_fatal(s, payload);
    case WIRE_ZYGOTE_READY: {
        int code = replace_text(&s->sandbox_zygote, bytes_string(payload));
        return code ? code : 1;
    }
    default:
        return -EPROTO;
    }
}

int supervisor_sandbox(struct supervisor *s)
{
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_text(&json, "zygote", s->sandbox_zygote);
    json_text(&json, "worker", s->sandbox_worker);
    json_object_close(&json);
    int code = buf_failed(&buf) ? -ENOMEM : writer_run_sandbox(s->writer, s->run, buf_cstr(&buf));
    buf_finish(&buf);
    return supervisor_written(s, code);
}

/* ------------------------------------------------------------------ the conversation */

/* A key for an exhibit that the case does not have is a mistake to be told of. */
static int send_keys(struct supervisor *s)
{
    for (size_t k = 0; k < s->options->key_count; k++) {
        const struct job_key *key = &s->options->keys[k];
        bool sent = !key->exhibit;
        if (!key->exhibit)
            process_send_key(&s->zygote, UINT64_MAX, key);
        for (size_t i = 0; key->exhibit && i < s->exhibit_count; i++) {
            if (strcmp(s->exhibits[i].label, key->exhibit) != 0)
                continue;
            process_send_key(&s->zygote, s->exhibits[i].id, key);
            sent = true;
        }
        if (!sent)
            return supervisor_fail(s, -EINVAL, "--key: the case has no exhibit %s", key->exhibit);
    }
    return 0;
}

static int send_setup(struct supervisor *s)
{
    struct wire *wire = &s->zygote.wire;
    struct buf *out = wire_begin(wire, WIRE_SETUP);
    buf_u32le(out, WIRE_VERSION);
    settings_write(s->options->settings, out);
    wire_end(wire);
    for (size_t i = 0; i < s->exhibit_count; i++) {
        if (s->exhibit_states[i].deaths >= OPEN_DEATHS || (later(s) && !s->exhibits[i].opened))
            continue;
        out = wire_begin(wire, WIRE_EXHIBIT);
        buf_u64le(out, s->exhibits[i].id);
        buf_string(out, s->exhibits[i].path);
        buf_string(out, s->exhibits[i].type);
        wire_end(wire);
    }
    int code = send_keys(s);
    if (code)
        return code;
    wire_begin(wire, WIRE_OPEN);
    wire_end(wire);
    return wire_flush(wire);
}

/* 1 when the zygote is ready. */
static int take_packet(struct supervisor *s, const uint8_t *packet, size_t size)
{
    struct bytes bytes, payload;
    enum wire_type type;
    int code = 0;
    bytes_init(&bytes, packet, size);
    while (code == 0 && wire_next(&bytes, &type, &payload))
        code = take(s, type, &payload);
    if (code == 0 && bytes_failed(&bytes))
        code = -EPROTO;
    if (code == 0 || code == 1)
        return code;
    return s->failure ? s->failure
                      : supervisor_fail(s, code, "kvali-worker said what it may not say: %s", strerror(-code));
}

/* 0: the zygote is ready. 1: it has died. */
static int take_words(struct supervisor *s)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    standby_begin(s);
    for (;;) {
        int64_t size = process_receive(s->zygote.wire.fd, packet, SETUP_SECONDS);
        process_drain_errors(&s->zygote);
        if (size == -EINTR) {
            if (*s->options->stop)
                return supervisor_fail(s, -EINTR, "stopped while the evidence was being opened");
            continue;
        }
        if (size <= 0)
            return 1;
        standby_hear(s, packet, (size_t)size);
        int code = take_packet(s, packet, (size_t)size);
        if (code)
            return code == 1 ? 0 : code;
    }
}

/* The zygote died, or hung, while it opened the first exhibit that it had not told of. */
static int blame_exhibit(struct supervisor *s)
{
    for (size_t i = 0; i < s->exhibit_count; i++) {
        struct exhibit_state *exhibit = &s->exhibit_states[i];
        if (exhibit->ready || exhibit->failed || (later(s) && !s->exhibits[i].opened))
            continue;
        if (++exhibit->deaths < OPEN_DEATHS)
            return 0;
        char reason[512];
        snprintf(reason, sizeof reason, "%s: opening it killed the parser twice: the container is damaged or hostile",
                 s->exhibits[i].path);
        return image_failed(s, exhibit, reason);
    }
    return 0;
}

static int start_once(struct supervisor *s)
{
    process_stop_zygote(&s->zygote);
    s->plugins_seen = s->loaded_seen = 0;
    for (size_t i = 0; i < s->exhibit_count; i++)
        s->exhibit_states[i].ready = false;
    if (standby_take(s)) {
        int code = standby_repeat(s, take_packet);
        return code == 1 ? 0 : code == 0 ? 1 : code;
    }
    log_debug("kvali-worker is started");
    int code = process_start_zygote(s->options->worker_program, &s->zygote, s->why);
    if (code)
        return s->failure = code;
    if (send_setup(s))
        return s->failure ? s->failure : 1;
    return take_words(s);
}

int startup(struct supervisor *s)
{
    int code = 1;
    for (int i = 0; code == 1 && i < STARTS + (int)s->exhibit_count * OPEN_DEATHS; i++) {
        code = start_once(s);
        if (code == 1 && s->plugins_seen && blame_exhibit(s))
            return s->failure;
    }
    if (code == 1)
        return supervisor_fail(s, -ECHILD, "kvali-worker ends before it is ready (--verbose shows its words)");
    if (code)
        return code;
    if (s->registered && s->plugins_seen != s->plugin_count)
        return supervisor_fail(s, -EPROTO, "kvali-worker has other plugins than before");
    s->registered = true;
    s->stale = false;
    return 0;
}

/* A worker from the zygote; from a fresh one when that has died. */
static int fork_worker(struct supervisor *s, struct worker_slot *worker)
{
    int code = s->stale ? startup(s) : 0;
    for (int i = 0; code == 0 && i < STARTS; i++) {
        code = process_fork_worker(&s->zygote, worker->number, s->options->spool_folder, &worker->process, s->why);
        if (code != -EPIPE && code != -ECHILD)
            return code ? (s->failure = code) : 0;
        code = startup(s);
    }
    return code ? code : supervisor_fail(s, -ECHILD, "kvali-worker dies again and again");
}

int startup_worker(struct supervisor *s, struct worker_slot *worker)
{
    worker->number = ++s->next_number;
    int code = fork_worker(s, worker);
    if (code)
        return code;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = worker};
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, worker->process.wire.fd, &event))
        return supervisor_fail(s, -errno, "epoll: %s", strerror(errno));
    worker->state = WORKER_STARTING;
    worker->kill = KILL_NONE;
    worker->beat_time = worker->task_time = when_monotonic();
    return 0;
}
