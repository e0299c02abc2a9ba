/*
 * unpack: what is compressed or encoded inside a stream, as children, so that every plugin looks into it:
 * gzip [RFC 1952], zlib in PDF streams [RFC 1950; ISO 32000-1, 7.4.4], members of ZIP archives by their local
 * headers [APPNOTE 6.3.10, 4.3.7], and long base64 [RFC 4648]. It follows headers wherever they stand, also
 * in free space and where the file around them is broken.
 */
#include "plugins/unpack/inflate.h"

#include "engine/base/bytes.h"
#include "engine/plugin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PDF_HEAD, PDF_MAX: what the plugin pdf opens. */
enum { PDF_HEAD = 1024, AHEAD = 256, HITS_MAX = 1 << 18, BASE64_LEAST = 256, BASE64_LINE = 40 };
#define PDF_MAX (UINT64_C(1) << 30)

enum form { FORM_GZIP, FORM_ZLIB, FORM_ZIP, FORM_BASE64, FORMS };
static const char *const names[FORMS] = {"gzip", "zlib", "zip", "base64"};

struct hit {
    uint64_t at; /* of the first byte that is decoded */
    uint32_t form;
};

struct unpack_stream {
    struct hit *hits;
    size_t count, capacity;
    bool in_base64; /* in a run of base64 that was found: to the first byte that is none */
    bool in_line;   /* in a line that does not begin one: to its end */
    bool full;
    bool opened[FORMS]; /* another plugin opens this stream, and so what it holds in this form */
};

struct unpack_worker {
    bool wanted[FORMS];
    bool beside_archive, beside_pdf; /* these plugins run, too */
};

static const struct field unpack_fields[] = {{"form", FIELD_TEXT, "", "gzip, zlib, zip or base64"}};
static const struct record_type unpack_type = {"unpack", 1, "what a child stream was unpacked from",
                                               unpack_fields, 1};
static const struct record_type *const unpack_emits[] = {&unpack_type, NULL};

static bool is_in_list(const char *list, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = list; (at = strstr(at, name)) != NULL; at += size) {
        if ((at == list || at[-1] == ',' || at[-1] == ' ') &&
            (at[size] == '\0' || at[size] == ',' || at[size] == ' '))
            return true;
    }
    return false;
}

static int unpack_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct unpack_worker *mine = worker;
    char list[128], *rest = list;

    if ((size_t)snprintf(list, sizeof list, "%s", settings_text(settings, "unpack.forms")) >= sizeof list)
        return why_set(why, -EINVAL, "unpack.forms: the list is too long");
    for (const char *word; (word = strsep(&rest, ",")) != NULL;) {
        int form = 0;

        while (form < FORMS && strcmp(names[form], word) != 0)
            form++;
        if (form == FORMS && *word != '\0')
            return why_set(why, -EINVAL, "unpack.forms: %s is none of gzip, zlib, zip, base64", word);
        if (form < FORMS)
            mine->wanted[form] = true;
    }
    mine->beside_archive = is_in_list(settings_text(settings, "plugins"), "archive");
    mine->beside_pdf = is_in_list(settings_text(settings, "plugins"), "pdf");
    return inflate_setup(why);
}

/* A ZIP's members and a gzip's content are streams already where the plugin archive runs, a PDF's where pdf does: not
 * twice. Whatever else is packed inside of these is still looked for. */
static void leave_to_others(struct scan *scan)
{
    const struct unpack_worker *mine = scan_worker(scan);
    enum stream_kind kind = scan_stream(scan)->kind;
    size_t size = scan_kept(scan) < PDF_HEAD ? (size_t)scan_kept(scan) : PDF_HEAD;
    struct unpack_stream *stream = scan_state(scan);
    const uint8_t *head;

    if ((kind != STREAM_FILE && kind != STREAM_ADS && kind != STREAM_CHILD) || size < 5 ||
        scan_peek(scan, 0, size, &head) < 0)
        return;
    stream->opened[FORM_ZIP] = mine->beside_archive && memcmp(head, "PK\3\4", 4) == 0;
    stream->opened[FORM_GZIP] = mine->beside_archive && memcmp(head, "\x1f\x8b\10", 3) == 0;
    stream->opened[FORM_ZLIB] = mine->beside_pdf && scan_stream(scan)->size <= PDF_MAX &&
                                memmem(head, size, "%PDF-", 5) != NULL;
}

/* A recovered object's bytes lie in the stream that it was recovered from, which was looked through already.
 */
static enum plugin_want unpack_start(struct scan *scan)
{
    enum stream_kind kind = scan_stream(scan)->kind;

    if (kind == STREAM_IMAGE || kind == STREAM_CARVED)
        return PLUGIN_SKIP;
    leave_to_others(scan);
    return PLUGIN_FEED;
}

static int add(struct scan *scan, uint64_t at, enum form form)
{
    const struct unpack_worker *mine = scan_worker(scan);
    struct unpack_stream *stream = scan_state(scan);

    if (!mine->wanted[form] || stream->full || ((form == FORM_ZIP || form == FORM_ZLIB) && stream->opened[form]) ||
        (form == FORM_GZIP && at == 0 && stream->opened[form]))
        return 0;
    if (stream->count == stream->capacity) {
        size_t capacity = stream->capacity > 0 ? stream->capacity * 2 : 64;
        struct hit *hits = capacity <= HITS_MAX ? reallocarray(stream->hits, capacity, sizeof hits[0]) : NULL;

        if (hits == NULL && capacity <= HITS_MAX)
            return -ENOMEM;
        if (hits == NULL) {
            stream->full = true;
            scan_limited(
                scan, at,
                "more than %d places look like the beginning of compressed data: the rest was not unpacked",
                HITS_MAX / 2);
            return 0;
        }
        stream->hits = hits;
        stream->capacity = capacity;
    }
    stream->hits[stream->count++] = (struct hit){at, (uint32_t)form};
    return 0;
}

/* ------------------------------------------------------------------ finding */

static bool is_zlib(const uint8_t *data, size_t size)
{
    return size >= 2 && (data[0] & 0x8f) == 0x08 && (data[0] << 8 | data[1]) % 31 == 0 &&
           (data[1] & 0x20) == 0;
}

/* "stream", a line end, and what may be zlib's header. */
static int look_stream(struct scan *scan, const uint8_t *data, size_t left, uint64_t at)
{
    size_t i = 6;

    if (left < 10 || memcmp(data, "stream", 6) != 0)
        return 0;
    i += data[i] == '\r';
    if (data[i] != '\n' || !is_zlib(data + i + 1, left - i - 1))
        return 0;
    return add(scan, at + i + 1, FORM_ZLIB);
}

static int look_zip(struct scan *scan, const uint8_t *data, size_t left, uint64_t at)
{
    enum { HEADER = 30 };
    struct bytes bytes;
    uint16_t method, name, extra, flags;

    if (left < HEADER || memcmp(data, "PK\3\4", 4) != 0)
        return 0;
    bytes_init(&bytes, data, left);
    bytes_skip(&bytes, 6);
    flags = bytes_u16le(&bytes);
    method = bytes_u16le(&bytes);
    bytes_seek(&bytes, 26);
    name = bytes_u16le(&bytes);
    extra = bytes_u16le(&bytes);
    return method == 8 && (flags & 1) == 0 && name > 0 && name <= 4096
               ? add(scan, at + HEADER + name + extra, FORM_ZIP)
               : 0;
}

static int look_gzip(struct scan *scan, const uint8_t *data, size_t left, uint64_t at)
{
    return left >= 10 && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8 && (data[3] & 0xe0) == 0
               ? add(scan, at, FORM_GZIP)
               : 0;
}

typedef int looker(struct scan *scan, const uint8_t *data, size_t left, uint64_t at);

/* Calls `look` at each place of a byte that what is sought begins with. */
static int look_all(struct scan *scan, const struct block *block, int first, looker *look)
{
    const uint8_t *data = block->data, *end = data + block->size, *limit = end + block->ahead;
    int code = 0;

    for (const uint8_t *at = data;
         code == 0 && at < end && (at = memchr(at, first, (size_t)(end - at))) != NULL; at++)
        code = look(scan, at, (size_t)(limit - at), block->offset + (uint64_t)(at - data));
    return code;
}

static bool is_base64(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '+' || c == '/' || c == '\r' ||
           c == '\n';
}

/* A run of base64, with line ends, that begins here and goes on for BASE64_LEAST bytes at least; hex and
 * words are none. */
static bool starts_base64(const uint8_t *data, size_t left)
{
    unsigned upper = 0, lower = 0, digits = 0;

    if (left < BASE64_LEAST || memchr(data, '\n', BASE64_LINE) != NULL)
        return false;
    for (size_t i = 0; i < BASE64_LEAST; i++) {
        if (!is_base64(data[i]))
            return false;
        upper += (uint8_t)(data[i] - 'A') < 26;
        lower += (uint8_t)(data[i] - 'a') < 26;
        digits += (uint8_t)(data[i] - '0') < 10;
    }
    return upper > BASE64_LEAST / 10 && lower > BASE64_LEAST / 10 && digits > BASE64_LEAST / 32;
}

/* The bytes from `i` on that no run can begin in, because a byte that is none follows within the least
 * length; 0: it may. */
static size_t hopeless(const struct block *block, size_t i)
{
    size_t limit = block->size + block->ahead, probe = limit - i < BASE64_LEAST ? limit - i : BASE64_LEAST;

    if (probe < BASE64_LEAST)
        return probe;
    while (probe > 0 && is_base64(block->data[i + probe - 1]))
        probe--;
    return probe;
}

/* A run begins at the beginning of a line, or behind a byte that is no base64. */
static int look_base64(struct scan *scan, const struct block *block)
{
    struct unpack_stream *stream = scan_state(scan);
    int code = 0;

    for (size_t i = 0; i < block->size && code == 0;) {
        uint8_t c = block->data[i];
        size_t skip;

        if (stream->in_base64 || stream->in_line) {
            stream->in_base64 = stream->in_base64 && is_base64(c);
            stream->in_line = stream->in_line && is_base64(c) && c != '\n';
            i++;
            continue;
        }
        skip = hopeless(block, i);
        if (skip > 0) {
            i += skip;
            continue;
        }
        stream->in_base64 = starts_base64(block->data + i, block->size + block->ahead - i);
        stream->in_line = !stream->in_base64;
        if (stream->in_base64)
            code = add(scan, block->offset + i, FORM_BASE64);
    }
    return code;
}

static int unpack_feed(struct scan *scan, const struct block *block)
{
    const struct unpack_worker *mine = scan_worker(scan);
    int code = look_all(scan, block, 0x1f, look_gzip);

    if (code == 0)
        code = look_all(scan, block, 'P', look_zip);
    if (code == 0 && mine->wanted[FORM_ZLIB])
        code = look_all(scan, block, 's', look_stream);
    if (code == 0 && mine->wanted[FORM_BASE64])
        code = look_base64(scan, block);
    return code;
}

/* ------------------------------------------------------------------ unpacking */

struct unpacking {
    struct scan *scan;
    uint64_t at; /* of what is read next */
};

static int64_t read_next(void *context, void *data, size_t size)
{
    struct unpacking *unpacking = context;
    size_t got = 0;
    int code = scan_read(unpacking->scan, unpacking->at, data, size, &got);

    unpacking->at += got;
    return code < 0 ? code : (int64_t)got;
}

static int write_child(void *context, const void *data, size_t size)
{
    return sink_write(context, data, size);
}

/* The child begins only when there is something to give it. */
static int unpack_one(struct scan *scan, const struct hit *hit)
{
    struct unpacking unpacking = {scan, hit->at};
    char name[48];
    const struct value values[] = {value_text(names[hit->form])};
    struct child child = {
        .name = name, .kind = STREAM_CHILD, .offset = hit->at, .about = &unpack_type, .values = values};
    struct inflated probe;
    struct sink *sink;
    int code = hit->form == FORM_BASE64
                   ? base64_probe(read_next, &unpacking, &probe)
                   : inflate_probe((enum inflate_form)hit->form, read_next, &unpacking, &probe);

    if (code < 0 || !probe.worth)
        return code == -ENOMEM ? code : 0;
    child.name_size = (size_t)snprintf(name, sizeof name, "%s@0x%" PRIx64, names[hit->form], hit->at);
    sink = scan_child(scan, &child);
    if (sink == NULL)
        return -ENOSPC;
    unpacking.at = hit->at;
    code = hit->form == FORM_BASE64
               ? base64_all(read_next, &unpacking, write_child, sink)
               : inflate_all((enum inflate_form)hit->form, read_next, &unpacking, write_child, sink);
    sink_close(sink, code == 0 ? SCAN_WHOLE : SCAN_CUT);
    return code == -ENOSPC || code == -ENOMEM ? code : 0;
}

static int compare(const void *a, const void *b)
{
    const struct hit *left = a, *right = b;

    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return left->form < right->form ? -1 : left->form > right->form;
}

static int unpack_finish(struct scan *scan, enum scan_status status)
{
    struct unpack_stream *stream = scan_state(scan);
    int code = 0;

    (void)status;
    if (stream->count > 0)
        qsort(stream->hits, stream->count, sizeof stream->hits[0], compare);
    for (size_t i = 0; i < stream->count && code == 0; i++)
        code = unpack_one(scan, &stream->hits[i]);
    free(stream->hits);
    return code == -ENOSPC ? 0 : code;
}

const struct plugin plugin_unpack = {
    .abi = PLUGIN_ABI,
    .version = 4,
    .name = "unpack",
    .summary = "Compressed and encoded data inside others, as streams of their own",
    .emits = unpack_emits,
    .ahead = AHEAD,
    .worker_size = sizeof(struct unpack_worker),
    .stream_size = sizeof(struct unpack_stream),
    .setup = unpack_setup,
    .start = unpack_start,
    .feed = unpack_feed,
    .finish = unpack_finish,
};
