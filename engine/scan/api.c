/*
 * api: what plugins may call, but for children (child.c). A plugin may be wrong or taken over: what it passes
 * is checked as far as one process can check itself; the supervisor checks again.
 */
#include "engine/scan/pass.h"

#include "engine/base/text.h"
#include "engine/scan/record_check.h"
#include "engine/scan/record_cut.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct stream_info *scan_stream(const struct scan *scan)
{
    return scan->pass->info;
}

void *scan_worker(const struct scan *scan)
{
    return scan->worker;
}

void *scan_state(const struct scan *scan)
{
    return scan->state;
}

const struct hash_set *scan_digests(const struct scan *scan, uint64_t *ret_size)
{
    const struct pass *pass = scan->pass;

    if (scan->phase != SCAN_FINISHING || !pass->hashed || (scan->plugin->traits & PLUGIN_DIGESTS) == 0)
        return NULL;
    *ret_size = pass->hashed_size;
    return &pass->level->digests;
}

/* Only while judges finish: who has finished already wants nothing any more. */
const char *scan_spare(struct scan *scan)
{
    struct scanner *scanner = scan->pass->scanner;
    struct scan *scans = scan->pass->level->scans;

    buf_clear(&scanner->spared);
    if (scan->phase != SCAN_FINISHING || (scan->plugin->traits & PLUGIN_JUDGE) == 0)
        return "";
    for (size_t i = 0; i < scanner->count; i++) {
        scans[i].spared = scans[i].spared ||
                          (scans[i].want != PLUGIN_SKIP && (scans[i].plugin->traits & PLUGIN_SPARED) != 0);
        if (scans[i].spared)
            buf_printf(&scanner->spared, "%s%s", scanner->spared.size > 0 ? "," : "", scans[i].plugin->name);
    }
    return buf_cstr(&scanner->spared);
}

uint64_t scan_unread(const struct scan *scan)
{
    return pass_unread(scan->pass);
}

/* The bytes that this plugin may look at now. */
static const uint8_t *visible(const struct scan *scan, uint64_t *ret_size)
{
    const struct pass *pass = scan->pass;

    *ret_size = 0;
    if (scan->phase == SCAN_STARTING) {
        *ret_size = pass->filled < SCAN_FIRST ? pass->filled : SCAN_FIRST;
        return pass->data;
    }
    if (scan->phase == SCAN_FINISHING && scan->peeks) {
        *ret_size = pass->kept_size;
        return pass->kept;
    }
    return NULL;
}

uint64_t scan_kept(const struct scan *scan)
{
    uint64_t size;

    visible(scan, &size);
    return size;
}

int scan_peek(struct scan *scan, uint64_t offset, size_t size, const uint8_t **ret_data)
{
    uint64_t kept;
    const uint8_t *data = visible(scan, &kept);

    if (!u64_range_fits(offset, size, kept))
        return -ENODATA;
    *ret_data = data != NULL ? data + offset : (const uint8_t *)"";
    return 0;
}

uint64_t scan_reach(const struct scan *scan)
{
    return pass_reach(scan->pass);
}

int scan_read(struct scan *scan, uint64_t offset, void *data, size_t size, size_t *ret_size)
{
    int64_t count;

    pass_at(scan->pass, scan->index);
    count = pass_read_at(scan->pass, offset, data, size, NULL);
    if (count < 0)
        return (int)count;
    *ret_size = (size_t)count;
    return 0;
}

uint64_t scan_physical(const struct scan *scan, uint64_t offset)
{
    uint64_t size = 0;

    return pass_physical(scan->pass, offset, &size);
}

/* Counts one more thing said; -ENOSPC past the limit, which is said once. */
static int say(struct scan *scan)
{
    struct scanner *scanner = scan->pass->scanner;

    if (scanner->stop < 0)
        return scanner->stop;
    if (scan->said < scanner->limit_records) {
        scan->said++;
        return 0;
    }
    if (!scan->said_enough)
        pass_limited(scan->pass, scan->index, scan->pass->offset,
                     "limit.records: what %s says after %llu records and notes is dropped",
                     scan->plugin->name, (unsigned long long)scan->said);
    scan->said_enough = true;
    return -ENOSPC;
}

static int type_index(const struct plugin *plugin, const struct record_type *type, uint32_t *ret_index)
{
    for (uint32_t i = 0; plugin->emits[i] != NULL; i++) {
        if (plugin->emits[i] == type) {
            *ret_index = i;
            return 0;
        }
    }
    return -EINVAL;
}

static __attribute__((format(printf, 4, 0))) void limited(struct scan *scan, uint32_t stream, uint64_t offset,
                                                         const char *format, va_list args)
{
    struct scanner *scanner = scan->pass->scanner;
    const struct scan_sink *sink = scanner->sink;

    scanner_answer(scanner, sink->limited(sink->context, stream, scan->index, offset,
                                          scanner_text(scanner, format, args)));
}

/* Offset 0: where the pass is depends on the size of blocks. */
static __attribute__((format(printf, 3, 4))) void tell_cut(struct scan *scan, uint32_t stream,
                                                           const char *format, ...)
{
    va_list args;

    if (say(scan) < 0)
        return;
    va_start(args, format);
    limited(scan, stream, 0, format, args);
    va_end(args);
}

int scan_record(struct scan *scan, uint32_t stream, const struct record_type *type,
                const struct value *values)
{
    struct scanner *scanner = scan->pass->scanner;
    const struct scan_sink *sink = scanner->sink;
    struct buf told = {0};
    uint32_t index;
    int rc;

    if (type == NULL || values == NULL || type_index(scan->plugin, type, &index) < 0)
        return -EINVAL;
    buf_clear(&scanner->record);
    rc = record_encode(&scanner->record, type, values);
    if (rc == -E2BIG)
        rc = record_encode_cut(&scanner->record, type, values, &told);
    if (rc == 0)
        rc = say(scan);
    if (rc < 0)
        goto out;
    rc = sink->record(sink->context, stream, scan->index, index, scanner->record.data, scanner->record.size);
    scanner_answer(scanner, rc);
    if (told.size > 0)
        tell_cut(scan, stream, "a record %s of %s is too large and was cut: %s", type->name,
                 scan->plugin->name, buf_cstr(&told));
out:
    buf_finish(&told);
    return rc < 0 ? rc : 0;
}

int scan_emit(struct scan *scan, const struct record_type *type, const struct value *values)
{
    return scan_record(scan, scan->pass->stream, type, values);
}

const char *scanner_text(struct scanner *scanner, const char *format, va_list args)
{
    char text[SCAN_TEXT_MAX];
    int length = vsnprintf(text, sizeof text, format, args);
    size_t size = length < 0 ? 0 : (size_t)length;

    if (size >= sizeof text) {
        size = sizeof text - 4;
        while (size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80)
            size--;
        memcpy(text + size, "...", 3);
        size += 3;
    }
    buf_clear(&scanner->text);
    if (record_text_is_printable(text, size))
        buf_append(&scanner->text, text, size);
    else
        text_escape(&scanner->text, text, size);
    return buf_cstr(&scanner->text);
}

void scan_note(struct scan *scan, uint64_t offset, const char *format, ...)
{
    struct scanner *scanner = scan->pass->scanner;
    const struct scan_sink *sink = scanner->sink;
    va_list args;

    if (say(scan) < 0)
        return;
    va_start(args, format);
    scanner_answer(scanner, sink->note(sink->context, scan->pass->stream, scan->index, offset,
                                       scanner_text(scanner, format, args)));
    va_end(args);
}

void scan_limited(struct scan *scan, uint64_t offset, const char *format, ...)
{
    va_list args;

    if (say(scan) < 0)
        return;
    va_start(args, format);
    limited(scan, scan->pass->stream, offset, format, args);
    va_end(args);
}

/* ------------------------------------------------------------------ passwords */

void scanner_set_passwords(struct scanner *scanner, const struct scan_passwords *passwords)
{
    scanner->passwords = *passwords;
}

const char *scan_password(const struct scan *scan, size_t number)
{
    const struct scan_passwords *passwords = &scan->pass->scanner->passwords;

    return passwords->get ? passwords->get(passwords->context, number) : NULL;
}

void scan_password_digest(const struct scan *scan, size_t number, char ret[SCAN_PASSWORD_DIGEST])
{
    const struct scan_passwords *passwords = &scan->pass->scanner->passwords;

    ret[0] = '\0';
    if (passwords->digest)
        passwords->digest(passwords->context, number, scan->pass->info->path, ret);
}
