/*
 * intake: what workers say. Every message is taken as hostile: it must be permitted in the state that its worker is in,
 * name only what was handed to that worker, and have exactly the form that its type has. Anything else is -EPROTO, and the
 * caller treats it as tampering.
 */
#include "engine/job/alert.h"
#include "engine/job/supervisor.h"

#include "engine/base/log.h"
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/job/blackbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUBSTREAMS_MAX = 1 << 20 };

static int alarm_set(struct worker_slot *worker, const char *what)
{
    snprintf(worker->alarm, sizeof worker->alarm, "%s", what);
    return -EPROTO;
}

/* Text from a worker must be what text_escape makes: printable UTF-8. */
static bool is_clean(const char *text)
{
    if (!text)
        return false;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f)
            return false;
    return text_is_utf8(text, strlen(text));
}

static uint64_t exhibit_in_hand(const struct worker_slot *worker)
{
    return worker->state == WORKER_EXPANDING ? worker->expand.exhibit : worker->batch[worker->batch_next].exhibit;
}

static struct substream *substream(struct worker_slot *worker, uint32_t index)
{
    return worker->in_stream && index < worker->sub_count && !worker->subs[index].ended ? &worker->subs[index] : NULL;
}

static const char *plugin_name(const struct supervisor *s, uint32_t plugin)
{
    return plugin < s->plugin_count ? s->plugins[plugin].name : "";
}

static bool plugin_known(const struct supervisor *s, uint32_t plugin)
{
    return plugin < s->plugin_count || plugin == BLACKBOX_ENGINE;
}

/* An honest worker stops its plugins long before: their records and notes on a stream are limited together. */
static uint64_t words_permitted(struct supervisor *s)
{
    if (s->words_max == 0) /* asked for every record, and settings are looked up by name */
        s->words_max = u64_mul_saturating(settings_number(s->options->settings, "limit.records"), s->plugin_count + 1);
    return s->words_max;
}

/* ------------------------------------------------------------------ expand */

static int take_volume(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    struct found_volume volume;
    bool permitted = worker->state == WORKER_EXPANDING || (worker->in_stream && !later(s));
    if (!permitted || found_volume_read(payload, &volume) || bytes_left(payload))
        return alarm_set(worker, "a volume message that is malformed or out of place");
    if (worker->in_stream && worker->subs[0].said++ >= words_permitted(s))
        return alarm_set(worker, "more volumes in one stream than the limit permits");
    supervisor_event(s, "volume", "key", volume.key, "bytes", volume.size);
    return supervisor_written(s, writer_volume(s->writer, worker->attempt, exhibit_in_hand(worker), &volume));
}

static int take_entry(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    struct found_entry entry;
    struct found_run runs[FOUND_RUNS_MAX];
    if (worker->state != WORKER_EXPANDING || found_entry_read(payload, &entry, runs) || bytes_left(payload))
        return alarm_set(worker, "an entry message that is malformed or out of place");
    return supervisor_written(s, writer_entry(s->writer, worker->attempt, worker->expand.exhibit, &entry));
}

static const char *label_in_hand(const struct supervisor *s, const struct worker_slot *worker)
{
    for (size_t i = 0; i < s->exhibit_count; i++) {
        if (s->exhibits[i].id == exhibit_in_hand(worker))
            return s->exhibits[i].label;
    }
    return "";
}

/* What stays closed is told while somebody may still be there who has a key. */
static void tell_locked(struct supervisor *s, const struct worker_slot *worker, const struct found_fault *fault)
{
    static const char prefix[] = "encrypted: "; /* a volume that is suspected only has none */
    bool named = strncmp(fault->detail, prefix, strlen(prefix)) == 0;
    struct buf name = {0}, place = {0};
    if (!s->options->found || fault->kind != FAULT_ENCRYPTED)
        return;
    buf_printf(&name, "%s%s", named ? "" : "volume, suspected: ", fault->detail + (named ? strlen(prefix) : 0));
    buf_printf(&place, "%s %s", label_in_hand(s, worker), *fault->path ? fault->path : fault->volume);
    if (!buf_failed(&name) && !buf_failed(&place))
        s->options->found(s->options->context, &(struct job_found){.kind = "encrypted", .name = buf_cstr(&name), .name_size = name.size,
                                                                   .path = buf_cstr(&place)});
    buf_finish(&name);
    buf_finish(&place);
}

static int take_fault(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    struct found_fault fault;
    bool permitted = worker->state == WORKER_EXPANDING || worker->in_stream;
    if (!permitted || found_fault_read(payload, &fault) || bytes_left(payload))
        return alarm_set(worker, "a fault message that is malformed or out of place");
    if (worker->in_stream && worker->faults >= words_permitted(s))
        return alarm_set(worker, "more faults of one stream than the limit permits");
    worker->faults++;
    uint64_t stream = worker->in_stream ? worker->subs[0].id : 0;
    supervisor_event(s, "fault", "path", fault.path, fault_kind_name(fault.kind), fault.offset);
    tell_locked(s, worker, &fault);
    return supervisor_written(s, writer_fault(s->writer, worker->attempt, exhibit_in_hand(worker), stream, &fault));
}

static int take_account(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    struct found_account account;
    if (worker->state != WORKER_EXPANDING || found_account_read(payload, &account) || account.bytes > INT64_MAX)
        return alarm_set(worker, "an account that is malformed or out of place");
    return supervisor_written(s, writer_account(s->writer, worker->attempt, worker->expand.exhibit, &account));
}

static int take_expanded(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    uint32_t error = bytes_u32le(payload);
    if (worker->state != WORKER_EXPANDING || bytes_failed(payload) || bytes_left(payload))
        return alarm_set(worker, "the end of a walk that is malformed or out of place");
    enum attempt_end end = error ? ATTEMPT_FAILED : worker->faults ? ATTEMPT_PARTIAL : ATTEMPT_DONE;
    int code = 0;
    if (error) {
        struct found_fault fault = {
            .kind = error == ENOMEM ? FAULT_MEMORY : FAULT_DAMAGED,
            .volume = worker->expand.volume,
            .path = "",
            .stage = "walk",
            .plugin = "",
            .offset = UINT64_MAX,
            .effect = "the listing is incomplete",
            .detail = strerror((int)error),
        };
        code = writer_fault(s->writer, worker->attempt, worker->expand.exhibit, 0, &fault);
    }
    if (code == 0)
        code = writer_attempt_end(s->writer, worker->attempt, end, NULL);
    task_drop(worker);
    worker->state = WORKER_IDLE;
    return supervisor_written(s, code);
}

/* ------------------------------------------------------------------ scan */

static int add_substream(struct worker_slot *worker, uint64_t id)
{
    if (worker->sub_count == worker->sub_capacity) {
        size_t capacity = worker->sub_capacity ? worker->sub_capacity * 2 : 16;
        struct substream *more = realloc(worker->subs, capacity * sizeof *more);
        if (!more)
            return -ENOMEM;
        worker->subs = more;
        worker->sub_capacity = capacity;
    }
    worker->subs[worker->sub_count++] = (struct substream){.id = id};
    return 0;
}

static int take_begin(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    uint64_t id = bytes_u64le(payload);
    bool permitted = worker->state == WORKER_SCANNING && !worker->in_stream && worker->batch_next < worker->batch_count;
    if (!permitted || bytes_failed(payload) || bytes_left(payload) || worker->batch[worker->batch_next].id != id)
        return alarm_set(worker, "it began a stream that it was not given");
    worker->in_stream = true;
    worker->faults = worker->strangers = 0;
    worker->sub_count = 0;
    worker->child_bytes = 0;
    worker->task_time = when_monotonic();
    const struct attempt_at at = {
        .run = s->run, .stream = id, .size = worker->batch[worker->batch_next].size, .worker = worker->number};
    int code = add_substream(worker, id);
    if (code == 0)
        code = writer_attempt_begin(s->writer, &at, &worker->attempt);
    return supervisor_written(s, code);
}

/* In a later pass only those that look have something to say. */
static bool may_speak(const struct supervisor *s, uint32_t plugin)
{
    return !later(s) || plugin == BLACKBOX_ENGINE || (s->looking >> plugin & 1);
}

/* Of a content that the case does not have nothing is kept; of others an honest worker sends nothing that is not. */
static int speaks_in_vain(const struct supervisor *s, struct worker_slot *worker, uint32_t plugin)
{
    return may_speak(s, plugin) ? 0 : alarm_set(worker, "a word of a plugin that has none in this pass");
}

static void tell_found(struct supervisor *s, const struct worker_slot *worker, uint32_t stream, const struct record_type *type,
                       const struct value *values)
{
    struct job_found found;
    if (!s->options->found || !alert_of(type, values, &found))
        return;
    found.path = worker->batch[worker->batch_next].path;
    found.inside = stream != 0;
    s->options->found(s->options->context, &found);
}

static int take_record(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    uint32_t stream = bytes_u32le(payload), plugin = bytes_u32le(payload), type = bytes_u32le(payload);
    struct substream *sub = substream(worker, stream);
    if (bytes_failed(payload) || !sub || plugin >= s->plugin_count || type >= s->plugins[plugin].type_count)
        return alarm_set(worker, "a record of a type or for a stream that is not permitted now");
    struct value values[RECORD_FIELDS_MAX];
    if (record_decode(payload, s->plugins[plugin].types[type], values))
        return alarm_set(worker, "a record that is not as its type says");
    if (sub->ordinal >= words_permitted(s))
        return alarm_set(worker, "more records than the limit permits");
    if (sub->id == 0 || !may_speak(s, plugin))
        return speaks_in_vain(s, worker, plugin);
    int code = writer_record(s->writer, worker->attempt, sub->id, plugin, type, sub->ordinal++, values);
    if (code == -EBADMSG)
        return alarm_set(worker, "text for the index that is none");
    if (code == 0)
        tell_found(s, worker, stream, s->plugins[plugin].types[type], values);
    return supervisor_written(s, code);
}

struct spoken {
    uint32_t stream, plugin;
    uint64_t offset;
    const char *text;
    struct substream *sub;
};

static int take_spoken(struct supervisor *s, struct worker_slot *worker, struct bytes *payload, bool with_text,
                       struct spoken *ret_spoken)
{
    struct spoken spoken = {.stream = bytes_u32le(payload)};
    spoken.plugin = bytes_u32le(payload);
    spoken.offset = bytes_u64le(payload);
    if (with_text)
        spoken.text = bytes_string(payload);
    spoken.sub = substream(worker, spoken.stream);
    if (bytes_failed(payload) || !spoken.sub || !plugin_known(s, spoken.plugin) ||
        (with_text && (bytes_left(payload) || !is_clean(spoken.text))))
        return alarm_set(worker, "a note or limit that is malformed or out of place");
    if (spoken.sub->said++ >= words_permitted(s))
        return alarm_set(worker, "more notes than the limit permits");
    if (!may_speak(s, spoken.plugin))
        return speaks_in_vain(s, worker, spoken.plugin);
    *ret_spoken = spoken;
    return 0;
}

static int take_note(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    struct spoken spoken;
    int code = take_spoken(s, worker, payload, true, &spoken);
    return code || spoken.sub->id == 0
               ? code
               : supervisor_written(s, writer_note(s->writer, worker->attempt, spoken.sub->id,
                                                    plugin_name(s, spoken.plugin), spoken.offset, spoken.text));
}

static int stream_fault(struct supervisor *s, struct worker_slot *worker, const struct spoken *spoken,
                        enum fault_kind kind, const char *effect, const char *detail)
{
    if (spoken->sub->id == 0)
        return 0;
    struct found_fault fault = {
        .kind = kind,
        .volume = "",
        .path = spoken->stream ? "" : worker->batch[worker->batch_next].path,
        .stage = "scan",
        .plugin = plugin_name(s, spoken->plugin),
        .offset = spoken->offset,
        .effect = effect,
        .detail = detail,
    };
    worker->faults++;
    supervisor_event(s, "fault", "path", worker->batch[worker->batch_next].path, fault_kind_name(kind), fault.offset);
    return supervisor_written(
        s, writer_fault(s->writer, worker->attempt, exhibit_in_hand(worker), spoken->sub->id, &fault));
}

static int take_limited(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    struct spoken spoken;
    int code = take_spoken(s, worker, payload, true, &spoken);
    return code ? code
                : stream_fault(s, worker, &spoken, FAULT_LIMIT,
                               spoken.plugin == BLACKBOX_ENGINE ? "this content was looked at in part"
                                                                : "this plugin looked at this content in part",
                               spoken.text);
}

static int take_failed(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    struct spoken spoken;
    int code = take_spoken(s, worker, payload, false, &spoken);
    uint32_t error = bytes_u32le(payload);
    if (code == 0 && (bytes_failed(payload) || bytes_left(payload)))
        code = alarm_set(worker, "a failure message that is malformed");
    return code ? code
                : stream_fault(s, worker, &spoken, error == ENOMEM ? FAULT_MEMORY : FAULT_DAMAGED,
                               "this plugin could not go on with this content; the others did", strerror((int)error));
}

/* The engine itself makes one kind of child: a file's slack, in the stream that the worker was given. */
static bool may_make(const struct supervisor *s, uint32_t plugin, uint32_t kind, uint32_t parent)
{
    if (plugin == BLACKBOX_ENGINE)
        return kind == STREAM_SLACK && parent == 0;
    return plugin < s->plugin_count && (kind == STREAM_CHILD || kind == STREAM_CARVED);
}

static int take_child(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    uint32_t parent = bytes_u32le(payload), stream = bytes_u32le(payload);
    struct writer_child child = {.path = bytes_string(payload)};
    struct found_run runs[FOUND_RUNS_MAX];
    child.name = bytes_blob(payload, &child.name_size);
    uint32_t kind = bytes_u32le(payload);
    child.deleted = bytes_u8(payload);
    child.offset = bytes_u64le(payload);
    uint32_t plugin = bytes_u32le(payload);
    child.runs_cut = bytes_u8(payload);
    child.run_count = bytes_u32le(payload);
    if (child.run_count > FOUND_RUNS_MAX)
        bytes_fail(payload);
    for (size_t i = 0; i < child.run_count && !bytes_failed(payload); i++) {
        runs[i].offset = bytes_u64le(payload);
        runs[i].size = bytes_u64le(payload);
        if (runs[i].offset > INT64_MAX || runs[i].size > INT64_MAX)
            bytes_fail(payload);
    }
    struct substream *sub = substream(worker, parent);
    bool right = !bytes_failed(payload) && bytes_left(payload) == 0 && sub && may_make(s, plugin, kind, parent) &&
                 stream == worker->sub_count && stream < SUBSTREAMS_MAX && is_clean(child.path);
    if (!right)
        return alarm_set(worker, "a child stream that is malformed or out of place");
    child.kind = (enum stream_kind)kind;
    child.plugin = plugin_name(s, plugin);
    child.runs = runs;
    uint64_t id = 0;
    int code = later(s) ? later_child(s, worker, sub->id, child.path, &id)
                        : writer_child(s->writer, worker->attempt, sub->id, &child, &id);
    if (code == -EEXIST)
        return alarm_set(worker, "a child stream at an address that is taken");
    return supervisor_written(s, code ? code : add_substream(worker, id));
}

static int take_child_end(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    uint32_t stream = bytes_u32le(payload), status = bytes_u32le(payload);
    uint64_t size = bytes_u64le(payload);
    struct substream *sub = substream(worker, stream);
    if (bytes_failed(payload) || bytes_left(payload) || !sub || stream == 0 || status > SCAN_CUT)
        return alarm_set(worker, "the end of a child stream that is malformed or out of place");
    sub->ended = true;
    worker->child_bytes = u64_add_saturating(worker->child_bytes, size);
    if (later(s))
        return later_child_end(s, worker, sub, size);
    return supervisor_written(s, writer_child_end(s->writer, worker->attempt, sub->id, status, size));
}

static int take_end(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    uint64_t id = bytes_u64le(payload);
    uint32_t status = bytes_u32le(payload);
    struct attempt_read read = {.read = bytes_u64le(payload)};
    read.unread = bytes_u64le(payload);
    uint32_t error = bytes_u32le(payload), uniform = bytes_u32le(payload);
    read.slack = bytes_u64le(payload);
    read.slack_uniform = bytes_u8(payload);
    read.uniform = uniform < 256;
    read.byte = (uint8_t)uniform;
    if (!worker->in_stream || bytes_failed(payload) || bytes_left(payload) || id != worker->subs[0].id ||
        status > SCAN_CUT || uniform > 256 || read.slack > INT64_MAX)
        return alarm_set(worker, "the end of a stream that it was not given");
    int code = later(s) ? later_end(s, worker) : 0;
    if (code)
        return code;
    bool nothing = error && read.read == 0 && worker->batch[worker->batch_next].size > 0;
    enum attempt_end end = nothing ? ATTEMPT_FAILED
                           : status != SCAN_WHOLE || read.unread || worker->faults ? ATTEMPT_PARTIAL
                                                                              : ATTEMPT_DONE;
    worker->in_stream = false;
    worker->batch_next++;
    return supervisor_written(s, writer_attempt_end(s->writer, worker->attempt, end, &read));
}

static int take_done(struct worker_slot *worker, struct bytes *payload)
{
    if (worker->state != WORKER_SCANNING || worker->in_stream || worker->batch_next != worker->batch_count ||
        bytes_left(payload))
        return alarm_set(worker, "it says that it is done before it is");
    task_drop(worker);
    worker->state = WORKER_IDLE;
    return 0;
}

/* ------------------------------------------------------------------ the rest */

static int take_ready(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    const char *words = bytes_string(payload);
    bytes_u8(payload);
    if (worker->state != WORKER_STARTING || bytes_failed(payload) || bytes_left(payload) || !is_clean(words))
        return alarm_set(worker, "a greeting that is malformed or out of place");
    int code = 0;
    if (!s->sandbox_worker) {
        s->sandbox_worker = strdup(words);
        supervisor_event(s, "sandbox", "worker", words, "workers", s->worker_count);
        code = supervisor_sandbox(s);
    }
    worker->state = WORKER_IDLE;
    return code;
}

/* True for what lies behind a key, or may: in a layer, or of a volume of APFS. */
static bool may_need_key(const char *locator)
{
    return strchr(locator, '>') || strncmp(locator, "apfs@", 5) == 0 ||
           (strncmp(locator, "free@", 5) == 0 && locator[5 + strspn(locator + 5, "0123456789")] == '/');
}

static int take_fatal(struct supervisor *s, struct worker_slot *worker, struct bytes *payload)
{
    int code = wire_errno(payload);
    const char *reason = bytes_string(payload);
    const char *locator = worker->state == WORKER_EXPANDING ? worker->expand.locator
                          : worker->state == WORKER_SCANNING && worker->in_stream
                              ? worker->batch[worker->batch_next].locator
                              : "";
    bool locked = code == -ENOKEY && may_need_key(locator);
    if ((worker->state != WORKER_STARTING && !locked) || bytes_failed(payload) || code >= 0 || !is_clean(reason))
        return alarm_set(worker, "a failure to start that is malformed or out of place");
    return supervisor_fail(s, code, "%s", reason);
}

static int take(struct supervisor *s, struct worker_slot *worker, enum wire_type type, struct bytes *payload)
{
    switch ((int)type) {
    case WIRE_WORKER_READY:
        return take_ready(s, worker, payload);
    case WIRE_FATAL:
        return take_fatal(s, worker, payload);
    case WIRE_VOLUME:
        return take_volume(s, worker, payload);
    case WIRE_ENTRY:
        return take_entry(s, worker, payload);
    case WIRE_FAULT:
        return take_fault(s, worker, payload);
    case WIRE_ACCOUNT:
        return take_account(s, worker, payload);
    case WIRE_EXPANDED:
        return take_expanded(s, worker, payload);
    case WIRE_BEGIN:
        return take_begin(s, worker, payload);
    case WIRE_RECORD:
        return take_record(s, worker, payload);
    case WIRE_NOTE:
        return take_note(s, worker, payload);
    case WIRE_LIMITED:
        return take_limited(s, worker, payload);
    case WIRE_FAILED:
        return take_failed(s, worker, payload);
    case WIRE_CHILD:
        return take_child(s, worker, payload);
    case WIRE_CHILD_END:
        return take_child_end(s, worker, payload);
    case WIRE_END:
        return take_end(s, worker, payload);
    case WIRE_DONE:
        return take_done(worker, payload);
    default:
        return alarm_set(worker, "a message that workers do not send");
    }
}

int intake(struct supervisor *s, struct worker_slot *worker, const uint8_t *packet, size_t size)
{
    struct bytes bytes, payload;
    enum wire_type type;
    bytes_init(&bytes, packet, size);
    while (wire_next(&bytes, &type, &payload)) {
        int code = take(s, worker, type, &payload);
        if (code)
            return code;
    }
    return bytes_failed(&bytes) ? alarm_set(worker, "a packet that is malformed") : 0;
}
