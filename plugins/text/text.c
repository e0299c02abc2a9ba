/*
 * text: the words of documents, for the case's index. A record of what was read stays in the case; the text
 * itself goes to the index in records of type `page`, which the case does not keep (cases/index.h).
 */
#include "engine/plugin.h"
#include "plugins/text/extract.h"

#include <errno.h>
#include <string.h>

enum { FIRST = 4096 };

static const struct field fields[] = {
    {"format", FIELD_TEXT, "", "what it was read as: html, pdf, docx ..., or a plain text's character set"},
    {"bytes", FIELD_U64, "bytes", "of text, as UTF-8"},
    {"guessed", FIELD_U64, "", "1: the character set is a guess"},
    {"lacks", FIELD_TEXT, "", "what of the text could not be read; NULL for nothing"},
    {"sha256", FIELD_BYTES, "", "of the text"},
};
static const struct record_type text_type = {
    .name = "text",
    .version = 1,
    .what = "the text of a document, which is in the index of words",
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
};
static const struct field page_fields[] = {
    {"last", FIELD_U64, "", "1: no more of this stream follows"},
    {"text", FIELD_BYTES, "", "UTF-8"},
};
static const struct record_type page_type = {
    .name = "page",
    .version = 1,
    .what = "a part of a document's text, on its way to the index of words",
    .fields = page_fields,
    .field_count = 2,
};
static const struct record_type *const emits[] = {&text_type, &page_type, NULL};

struct worker {
    struct charsets *charsets;
    struct hash_sha256 *hash;
    uint64_t limit;
};

struct stream {
    enum format format;
};

static int text_setup(void *memory, const struct settings *settings, struct why *why)
{
    struct worker *worker = memory;

    worker->limit = settings_number(settings, "text.limit");
    if (charsets_new(&worker->charsets) < 0)
        return why_set(why, -EINVAL,
                       "a character set that text may be in is not known to this system's iconv");
    worker->hash = hash_sha256_new();
    return worker->hash != NULL ? 0 : why_set(why, -ENOMEM, "no memory");
}

static void text_teardown(void *memory)
{
    struct worker *worker = memory;

    charsets_free(worker->charsets);
    hash_sha256_free(worker->hash);
}

/* Documents are files, or what was found in or recovered like one; ranges of a medium are none. */
static enum plugin_want text_start(struct scan *scan)
{
    struct stream *stream = scan_state(scan);
    enum stream_kind kind = scan_stream(scan)->kind;
    uint64_t kept = scan_kept(scan);
    const uint8_t *data;
    size_t size = kept < FIRST ? (size_t)kept : FIRST;

    if ((kind != STREAM_FILE && kind != STREAM_ADS && kind != STREAM_CHILD && kind != STREAM_CARVED) ||
        size == 0 || scan_peek(scan, 0, size, &data) < 0)
        return PLUGIN_SKIP;
    stream->format = extract_format(data, size, size < FIRST);
    return stream->format == FORMAT_NONE ? PLUGIN_SKIP : PLUGIN_PEEK;
}

static int put_page(void *context, const void *text, size_t size, bool last)
{
    struct scan *scan = context;
    struct worker *worker = scan_worker(scan);
    const struct value values[] = {value_u64(last), value_bytes(text, size)};

    hash_sha256_update(worker->hash, text, size);
    return scan_emit(scan, &page_type, values);
}

static int text_finish(struct scan *scan, enum scan_status status)
{
    const struct stream *stream = scan_state(scan);
    struct worker *worker = scan_worker(scan);
    struct document document = {.size = (size_t)scan_kept(scan), .charsets = worker->charsets};
    struct output output = {.page = put_page, .context = scan, .limit = worker->limit, .blank = true};
    const char *format = "";
    uint8_t sha256[SHA256_SIZE];
    int code = scan_peek(scan, 0, document.size, &document.data);

    if (code < 0)
        return code;
    /* A hundred steps a byte and a million for a start: no sound document needs that. */
    output.budget = (uint64_t)document.size * 100 + 1000000;
    extract(stream->format, &document, &output, &format);
    output_end(&output);
    buf_finish(&output.buf);
    hash_sha256_final(worker->hash, sha256);
    if (output.code < 0)
        return output.code == -ENOSPC ? 0 : output.code;
    if (status != SCAN_WHOLE)
        output_lacks(&output, "the content could not be read whole");
    if (output.lacks[0] != '\0')
        scan_limited(scan, 0, "%s", output.lacks);
    if (format[0] == '\0')
        return 0;
    const struct value values[] = {value_text(format), value_u64(output.bytes), value_u64(output.guessed),
                                   output.lacks[0] != '\0' ? value_text(output.lacks) : value_none(),
                                   value_bytes(sha256, sizeof sha256)};
    code = scan_emit(scan, &text_type, values);
    return code == -ENOSPC ? 0 : code;
}

const struct plugin plugin_text = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "text",
    .summary = "the words of documents, for `kvali search` (--index)",
    .emits = emits,
    .worker_size = sizeof(struct worker),
    .stream_size = sizeof(struct stream),
    .setup = text_setup,
    .teardown = text_teardown,
    .start = text_start,
    .finish = text_finish,
};
