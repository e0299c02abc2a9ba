/*
 * fuzz_intake: the supervisor's decoder of what workers say, fed with packets made by somebody else. The
 * case's writer is replaced by doubles that only look at what they are given: every text must be escaped
 * UTF-8, every index in range.
 *
 * The first byte of the input chooses the state the worker is in; then come packets, each with a two-byte
 * length.
 */
#include "engine/job/supervisor.h"

#include "engine/base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean(const char *text)
{
    assert(text != NULL);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        assert(*c >= 0x20 && *c != 0x7f);
    assert(text_is_utf8(text, strlen(text)));
}

int writer_attempt_begin(struct writer *writer, const struct attempt_at *at, uint64_t *ret_attempt)
{
    (void)writer, (void)at;
    *ret_attempt = 1;
    return 0;
}

int writer_attempt_end(struct writer *writer, uint64_t attempt, enum attempt_end end,
                       const struct attempt_read *read)
{
    (void)writer, (void)attempt, (void)end, (void)read;
    return 0;
}

int writer_volume(struct writer *writer, uint64_t attempt, uint64_t exhibit,
                  const struct found_volume *volume)
{
    (void)writer, (void)attempt, (void)exhibit;
    clean(volume->key);
    clean(volume->content);
    return 0;
}

int writer_entry(struct writer *writer, uint64_t attempt, uint64_t exhibit, const struct found_entry *entry)
{
    (void)writer, (void)attempt, (void)exhibit;
    clean(entry->path);
    clean(entry->target);
    assert(entry->run_count <= FOUND_RUNS_MAX && entry->type < ENTRY_TYPES && entry->kind < STREAM_KINDS);
    return 0;
}

int writer_account(struct writer *writer, uint64_t attempt, uint64_t exhibit,
                   const struct found_account *account)
{
    (void)writer, (void)attempt, (void)exhibit;
    clean(account->volume);
    assert(account->kind < ACCOUNT_KINDS);
    return 0;
}

int writer_child(struct writer *writer, uint64_t attempt, uint64_t parent, const struct writer_child *child,
                 uint64_t *ret_stream)
{
    (void)writer, (void)attempt, (void)parent;
    clean(child->path);
    clean(child->plugin);
    assert(child->run_count <= FOUND_RUNS_MAX);
    *ret_stream = 2;
    return 0;
}

int writer_child_end(struct writer *writer, uint64_t attempt, uint64_t stream, uint32_t scan_status,
                     uint64_t size)
{
    (void)writer, (void)attempt, (void)stream, (void)size;
    assert(scan_status <= SCAN_CUT);
    return 0;
}

/* The first pass: a later one is not fuzzed here. */
bool later(const struct supervisor *s)
{
    (void)s;
    return false;
}

int later_child(struct supervisor *s, struct worker_slot *worker, uint64_t parent, const char *path,
                uint64_t *ret_id)
{
    (void)s, (void)worker, (void)parent, (void)path, (void)ret_id;
    abort();
}

int later_child_end(struct supervisor *s, struct worker_slot *worker, const struct substream *sub,
                    uint64_t size)
{
    (void)s, (void)worker, (void)sub, (void)size;
    abort();
}

int later_end(struct supervisor *s, struct worker_slot *worker)
{
    (void)s, (void)worker;
    abort();
}

int writer_record(struct writer *writer, uint64_t attempt, uint64_t stream, uint32_t plugin, uint32_t type,
                  uint64_t ordinal, const struct value *values)
{
    (void)writer, (void)attempt, (void)stream, (void)ordinal, (void)values;
    assert(plugin < 1 && type < 1);
    return 0;
}

int writer_note(struct writer *writer, uint64_t attempt, uint64_t stream, const char *plugin, uint64_t offset,
                const char *text)
{
    (void)writer, (void)attempt, (void)stream, (void)plugin, (void)offset;
    clean(text);
    return 0;
}

int writer_fault(struct writer *writer, uint64_t attempt, uint64_t exhibit, uint64_t stream,
                 const struct found_fault *fault)
{
    (void)writer, (void)attempt, (void)exhibit, (void)stream;
    clean(fault->path);
    assert(fault->kind < FAULT_KINDS);
    return 0;
}

void task_drop(struct worker_slot *worker)
{
    worker->batch_next = worker->batch_count = worker->sub_count = 0;
    worker->in_stream = false;
}

int supervisor_written(struct supervisor *s, int code)
{
    (void)s;
    return code;
}

int supervisor_sandbox(struct supervisor *s)
{
    (void)s;
    return 0;
}

int supervisor_fail(struct supervisor *s, int code, const char *format, ...)
{
    (void)format;
    s->failure = code;
    return code;
}

void supervisor_event(struct supervisor *s, const char *event, const char *key, const char *value,
                      const char *key2, uint64_t number)
{
    (void)s, (void)event, (void)key, (void)value, (void)key2, (void)number;
}

static const struct field fields[] = {{"number", FIELD_U64, "", ""},
                                      {"text", FIELD_TEXT, "", ""},
                                      {"bytes", FIELD_BYTES, "", ""},
                                      {"json", FIELD_JSON, "", ""}};
static struct record_type type = {"fuzzed", 1, "", fields, 4};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings settings;
    static char name[] = "fuzzed", path[] = "image/p1/x", empty[] = "", locator[] = "0:raw>fs@0:ext/12";
    struct record_type *types[] = {&type};
    if (settings.count == 0 && settings_init(&settings))
        return 0;
    struct job_options options = {.settings = &settings};
    struct supervisor s = {.options = &options, .plugin_count = 1};
    s.plugins[0] = (struct plugin_known){.name = name, .version = 1, .types = types, .type_count = 1};
    struct worker_slot worker = {.state = size ? (enum worker_state)(data[0] % 5) : WORKER_IDLE};
    worker.expand = (struct task_expand){.id = 1, .exhibit = 1, .locator = empty, .volume = empty};
    worker.batch_count = 2;
    worker.batch[0] = (struct task_stream){.id = 7, .exhibit = 1, .path = path, .locator = locator, .size = 100};
    worker.batch[1] = (struct task_stream){.id = 8, .exhibit = 1, .path = path, .locator = empty, .size = 100};
    struct bytes bytes;
    bytes_init(&bytes, data, size);
    bytes_u8(&bytes);
    while (bytes_left(&bytes) > 2) {
        uint16_t length = bytes_u16le(&bytes);
        size_t left = bytes_left(&bytes);
        const uint8_t *packet = bytes_take(&bytes, length < left ? length : left);
        if (intake(&s, &worker, packet, length < left ? length : left))
            break;
    }
    free(worker.subs);
    free(s.sandbox_worker);
    return 0;
}
