/*
 * liar: on a stream that begins with LIEME it claims what is not so, everywhere it is asked; what the engine
 * answered is its one honest record. On LIEWIRE it goes round the engine and sends garbage over every
 * descriptor that it can send over, as a plugin would that has taken its worker over.
 */
#include "tests/hostile/word.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct field liar_fields[] = {
    {"text", FIELD_TEXT, "", "printable text"},
    {"data", FIELD_BYTES, "", "anything"},
    {"json", FIELD_JSON, "", "a JSON value"},
    {"answers", FIELD_TEXT, "", "what the engine answered to each lie"},
};
static const struct record_type liar_type = {"liar", 1, "lies", liar_fields, 4};
static const struct record_type undeclared = {"undeclared", 1, "a type that it does not own to", liar_fields,
                                              4};
static const struct record_type *const emits[] = {&liar_type, NULL};

struct liar_stream {
    bool wire;
};

static enum plugin_want liar_start(struct scan *scan)
{
    struct liar_stream *stream = scan_state(scan);

    stream->wire = begins_with(scan, "LIEWIRE");
    return stream->wire || begins_with(scan, "LIEME") ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int emit(struct scan *scan, const struct record_type *type, struct value text, struct value data,
                struct value json)
{
    return scan_emit(scan, type, (const struct value[]){text, data, json, value_none()});
}

/* Children of impossible size, of a kind that no child has, and one that it never closes. */
static int lie_about_children(struct scan *scan)
{
    struct child child = {.name = "\xff/../../etc\n", .name_size = 12, .kind = STREAM_CHILD};
    struct sink *sink = scan_child(scan, &child);
    int answer = sink != NULL ? sink_write(sink, "few bytes", SIZE_MAX / 2) : 0;

    sink_close(sink, (enum scan_status)77);
    sink = scan_child(scan, &child);
    if (sink != NULL)
        sink_write(sink, "left open", 9);
    child.kind = STREAM_IMAGE;
    sink = scan_child(scan, &child);
    return sink != NULL ? 0 : answer;
}

static int lie_to_engine(struct scan *scan)
{
    static const uint8_t few[16] = "few", many[RECORD_SIZE_MAX];
    struct value fine = value_none();
    const uint8_t *data;
    int answers[] = {
        emit(scan, &undeclared, fine, fine, fine),
        emit(scan, NULL, fine, fine, fine),
        emit(scan, &liar_type, fine, value_bytes(few, SIZE_MAX), fine),
        emit(scan, &liar_type, fine, value_bytes(many, sizeof many), fine),
        emit(scan, &liar_type, value_bytes(NULL, 5), fine, fine),
        emit(scan, &liar_type, value_text("\x1b[2J \xe2\x80\xae"), fine, fine),
        emit(scan, &liar_type, fine, fine, value_text("{\"not\": json}")),
        scan_peek(scan, UINT64_MAX, SIZE_MAX, &data),
        lie_about_children(scan),
    };
    char text[16 * sizeof answers / sizeof answers[0]] = "";
    size_t used = 0;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const char *name = answers[i] < 0 ? strerrorname_np(-answers[i]) : "believed";
        size_t length = name != NULL ? strlen(name) : 0;

        if (i > 0)
            text[used++] = ' ';
        memcpy(text + used, name != NULL ? name : "?", length > 12 ? 12 : length);
        used += length > 12 ? 12 : length;
    }
    scan_note(scan, UINT64_MAX, "%s", "a note past the end \x1b[31m in red");
    return scan_emit(scan, &liar_type, (const struct value[]){fine, fine, fine, value_bytes(text, used)});
}

static void lie_over_the_wire(void)
{
    uint8_t garbage[512];

    memset(garbage, 0xee, sizeof garbage);
    for (int fd = 3; fd < 64; fd++)
        syscall(SYS_sendto, fd, garbage, sizeof garbage, 0, NULL, 0);
}

static int liar_feed(struct scan *scan, const struct block *block)
{
    const struct liar_stream *stream = scan_state(scan);

    if (block->offset != 0)
        return 0;
    if (!stream->wire)
        return lie_to_engine(scan);
    lie_over_the_wire();
    return 0;
}

static int liar_finish(struct scan *scan, enum scan_status status)
{
    (void)scan, (void)status;
    return 4711;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "liar",
    .summary = "lies on LIEME and LIEWIRE",
    .emits = emits,
    .stream_size = sizeof(struct liar_stream),
    .start = liar_start,
    .feed = liar_feed,
    .finish = liar_finish,
};
