/*
 * ole: compound files (OLE2): embedded objects and attachments as streams, Outlook's messages as records.
 * libgsf reads the container. [MS-CFB, MS-OXMSG, MS-OXPROPS, MS-OLEDS, MS-OFFCRYPTO]
 */
#include "engine/base/bytes.h"
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/plugin.h"
#include "plugins/ole/closed.h"

#include <errno.h>
#include <gsf/gsf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEVELS = 32,
    STREAMS = 20000,
    CHUNK = 64 * 1024,
    PATH_SIZE = 2048,
    TABLE_SIZE = 8192,
    TEXT_SIZE = 2 * RECORD_SIZE_MAX
};

enum form { FORM_COMPOUND, FORM_NATIVE };

struct ole_stream {
    enum form form;
};

static const struct field compound_fields[] = {
    {"kind", FIELD_TEXT, "", "what the streams in it say that it is"},
    {"streams", FIELD_U64, "", "in it"},
    {"opened", FIELD_U64, "", "of these, embedded things that became streams"},
    {"encryption", FIELD_TEXT, "", "how it is encrypted"},
};
static const struct record_type compound_type = {"compound", 1, "a compound file", compound_fields, 4};

static const struct field embedded_fields[] = {
    {"place", FIELD_TEXT, "", "of the stream in the compound file"},
    {"name", FIELD_TEXT, "", "the file name that goes with it"},
    {"path", FIELD_TEXT, "", "where the file lay when it was embedded"},
};
static const struct record_type embedded_type = {"embedded", 1, "an attachment or embedded object",
                                                 embedded_fields, 3};

static const struct field message_fields[] = {
    {"subject", FIELD_TEXT, "", "what it is about"},
    {"sender", FIELD_TEXT, "", "name of the sender"},
    {"sender_address", FIELD_TEXT, "", "address of the sender"},
    {"recipients", FIELD_TEXT, "", "to whom"},
    {"copies", FIELD_TEXT, "", "copies to"},
    {"blind_copies", FIELD_TEXT, "", "blind copies to"},
    {"message_id", FIELD_TEXT, "", "Message-ID"},
    {"headers", FIELD_TEXT, "", "the headers that it came with"},
    {"sent", FIELD_WHEN, "", "when the sender sent it"},
    {"delivered", FIELD_WHEN, "", "when it arrived"},
    {"born", FIELD_WHEN, "", "when it was made"},
    {"modified", FIELD_WHEN, "", "last change"},
};
enum { MESSAGE_FIELDS = sizeof message_fields / sizeof message_fields[0] };
static const struct record_type message_type = {"message", 1, "a message of Outlook", message_fields,
                                                MESSAGE_FIELDS};

static const struct record_type *const ole_emits[] = {&compound_type, &embedded_type, &message_type, NULL};

/* libgsf complains of damaged files on standard error, in the evidence's words and without end. */
static void say_nothing(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
    (void)domain, (void)level, (void)message, (void)data;
}

static int ole_setup(void *worker, const struct settings *settings, struct why *why)
{
    (void)worker, (void)settings, (void)why;
    g_log_set_default_handler(say_nothing, NULL);
    gsf_init();
    return 0;
}

static enum plugin_want ole_start(struct scan *scan)
{
    static const uint8_t magic[] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};
    const struct stream_info *info = scan_stream(scan);
    struct ole_stream *stream = scan_state(scan);
    const uint8_t *head;

    if (info->kind != STREAM_FILE && info->kind != STREAM_ADS && info->kind != STREAM_CHILD &&
        info->kind != STREAM_CARVED)
        return PLUGIN_SKIP;
    if (info->kind == STREAM_CHILD && strcmp(info->name, "\\x01Ole10Native") == 0)
        stream->form = FORM_NATIVE;
    else if (scan_peek(scan, 0, sizeof magic, &head) < 0 || memcmp(head, magic, sizeof magic) != 0)
        return PLUGIN_SKIP;
    return PLUGIN_PEEK;
}

/* ------------------------------------------------------------------ packaged files */

/* Bytes up to a NUL; NULL when there is none. */
static const char *c_string(struct bytes *bytes)
{
    const uint8_t *start = bytes->data + bytes->offset;
    const uint8_t *end = bytes_failed(bytes) ? NULL : memchr(start, '\0', bytes_left(bytes));

    if (end == NULL) {
        bytes_fail(bytes);
        return NULL;
    }
    bytes_skip(bytes, (size_t)(end - start) + 1);
    return (const char *)start;
}

static struct value text(const char *value, struct buf *room)
{
    return value != NULL ? value_escaped(room, value, strlen(value)) : value_none();
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '\\');

    return slash != NULL ? slash + 1 : path;
}

/* What Packager wrote: label, path, temporary path, and the file. */
static int read_native(struct scan *scan, const uint8_t *data, size_t size)
{
    struct buf rooms[3] = {{0}};
    struct value values[3];
    struct scan_piece piece;
    struct bytes bytes;
    const char *label, *path;
    uint32_t skip, length;

    bytes_init(&bytes, data, size);
    bytes_skip(&bytes, 6);
    label = c_string(&bytes);
    path = c_string(&bytes);
    bytes_skip(&bytes, 4);
    skip = bytes_u32le(&bytes);
    if (skip > bytes_left(&bytes))
        bytes_fail(&bytes);
    else
        bytes_skip(&bytes, skip);
    length = bytes_u32le(&bytes);
    if (bytes_failed(&bytes) || length > bytes_left(&bytes)) {
        scan_note(scan, 0, "an embedded object that is not built like a packaged file");
        return 0;
    }
    piece = (struct scan_piece){bytes.offset, length};
    values[0] = value_text("\\x01Ole10Native");
    values[1] = text(label, &rooms[1]);
    values[2] = text(path, &rooms[2]);
    {
        const char *name = *label != '\0' ? base_name(label) : *path != '\0' ? base_name(path) : "file";
        const struct child child = {.name = name,
                                    .name_size = strlen(name),
                                    .kind = STREAM_CHILD,
                                    .offset = piece.offset,
                                    .pieces = &piece,
                                    .piece_count = 1,
                                    .about = &embedded_type,
                                    .values = values};

        sink_close(scan_child(scan, &child), SCAN_WHOLE);
    }
    buf_finish(&rooms[1]);
    buf_finish(&rooms[2]);
    return 0;
}

/* ------------------------------------------------------------------ compound files */

struct compound {
    struct scan *scan;
    uint64_t streams, opened;
    const char *kind;
    char encryption[CLOSED_SIZE]; /* "": none */
    int code;
};

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

/* Of what is left where it is: the document itself, which was searched in place, and descriptions. */
static bool is_own(const char *name)
{
    static const char *const own[] = {
        "WordDocument",
        "0Table",
        "1Table",
        "Data",
        "Workbook",
        "Book",
        "PowerPoint Document",
        "Current User",
        "Pictures",
        "\5SummaryInformation",
        "\5DocumentSummaryInformation",
        "\1CompObj",
        "\1Ole",
        "\3ObjInfo",
        "\3LinkInfo",
        "\2OlePres000",
        "\3PRINT",
        "\3OCXNAME",
    };

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(own[i], name) == 0)
            return true;
    }
    return begins(name, "__properties_version") ||
           (begins(name, "__substg1.0_") && !begins(name, "__substg1.0_37010102"));
}

/* A stream's bytes; at most `most` of them. */
static size_t read_some(GsfInfile *storage, const char *name, uint8_t *ret, size_t most)
{
    GsfInput *input = gsf_infile_child_by_name(storage, name);
    size_t size = 0;

    if (input != NULL && gsf_input_size(input) > 0) {
        size = gsf_input_size(input) < (gsf_off_t)most ? (size_t)gsf_input_size(input) : most;
        if (gsf_input_read(input, size, ret) == NULL)
            size = 0;
    }
    if (input != NULL)
        g_object_unref(input);
    return size;
}

/* A property's text: UTF-16, or in an unknown 8-bit set. */
static bool property(GsfInfile *storage, uint16_t tag, struct buf *ret)
{
    uint8_t data[TEXT_SIZE];
    char name[32];
    size_t size;

    snprintf(name, sizeof name, "__substg1.0_%04X001F", tag);
    size = read_some(storage, name, data, sizeof data);
    buf_clear(ret);
    if (size > 0) {
        text_from_utf16(ret, data, size, false);
    } else {
        snprintf(name, sizeof name, "__substg1.0_%04X001E", tag);
        buf_append(ret, data, read_some(storage, name, data, sizeof data));
    }
    while (ret->size > 0 && ret->data[ret->size - 1] == '\0')
        ret->size--;
    return ret->size > 0;
}

static struct value property_text(GsfInfile *storage, uint16_t tag, struct buf *room)
{
    struct buf raw = {0};
    bool there = property(storage, tag, &raw);
    struct value value = there ? value_escaped(room, raw.data, raw.size) : value_none();

    buf_finish(&raw);
    return value;
}

/* Times are in the table of fixed properties: 16 bytes each, behind 32 of header. */
static struct value property_time(GsfInfile *root, uint16_t tag)
{
    uint8_t data[TABLE_SIZE];
    size_t size = read_some(root, "__properties_version1.0", data, sizeof data);

    for (size_t at = 32; at + 16 <= size; at += 16) {
        struct bytes bytes;
        int64_t when;

        bytes_init(&bytes, data + at, 16);
        if (bytes_u32le(&bytes) != ((uint32_t)tag << 16 | 0x40))
            continue;
        bytes_skip(&bytes, 4);
        when = when_from_filetime(bytes_u64le(&bytes));
        return when != WHEN_NONE ? value_i64(when) : value_none();
    }
    return value_none();
}

static void emit_message(struct scan *scan, GsfInfile *root)
{
    static const uint16_t tags[] = {0x0037, 0x0c1a, 0x0c1f, 0x0e04, 0x0e03, 0x0e02, 0x1035, 0x007d};
    static const uint16_t times[] = {0x0039, 0x0e06, 0x3007, 0x3008};
    enum { TAGS = sizeof tags / sizeof tags[0], TIMES = sizeof times / sizeof times[0] };
    struct value values[MESSAGE_FIELDS];
    struct buf rooms[TAGS] = {{0}};

    for (size_t i = 0; i < TAGS; i++)
        values[i] = property_text(root, tags[i], &rooms[i]);
    for (size_t i = 0; i < TIMES; i++)
        values[TAGS + i] = property_time(root, times[i]);
    scan_emit(scan, &message_type, values);
    for (size_t i = 0; i < TAGS; i++)
        buf_finish(&rooms[i]);
}

static void copy(struct compound *compound, GsfInput *input, struct sink *sink)
{
    gsf_off_t left = gsf_input_size(input);
    enum scan_status status = SCAN_WHOLE;
    int code = 0;

    gsf_input_seek(input, 0, G_SEEK_SET);
    while (left > 0 && code == 0) {
        size_t part = left < CHUNK ? (size_t)left : CHUNK;
        const guint8 *data = gsf_input_read(input, part, NULL);

        if (data == NULL) {
            status = SCAN_CUT;
            break;
        }
        code = sink_write(sink, data, part);
        left -= (gsf_off_t)part;
    }
    compound->code = code;
    sink_close(sink, code == 0 ? status : SCAN_CUT);
}

/* `storage`: that it lies in; an attachment's name stands beside it. */
static void open_stream(struct compound *compound, GsfInfile *storage, GsfInput *input, const char *path)
{
    struct buf name = {0}, rooms[2] = {{0}};
    bool attached = property(storage, 0x3707, &name) || property(storage, 0x3704, &name);
    const struct value values[] = {text(path, &rooms[0]),
                                   attached ? text(buf_cstr(&name), &rooms[1]) : value_none(), value_none()};
    const struct child child = {.name = attached ? (const char *)name.data : path,
                                .name_size = attached ? name.size : strlen(path),
                                .kind = STREAM_CHILD,
                                .about = &embedded_type,
                                .values = values};
    struct sink *sink = scan_child(compound->scan, &child);

    if (sink != NULL)
        copy(compound, input, sink);
    else
        compound->code = -ENOSPC;
    compound->opened += sink != NULL;
    buf_finish(&name);
    buf_finish(&rooms[0]);
    buf_finish(&rooms[1]);
}

static void look_for_encryption(struct compound *compound, GsfInfile *storage, const char *name)
{
    uint8_t head[CLOSED_HEAD], table[64];
    size_t size;

    if (strcmp(name, "EncryptionInfo") == 0) {
        size = read_some(storage, name, head, sizeof head);
        closed_package(head, size, compound->encryption);
    } else if (strcmp(name, "EncryptedPackage") == 0 && compound->encryption[0] == '\0') {
        closed_package((const uint8_t *)"", 0, compound->encryption);
    } else if (strcmp(name, "Workbook") == 0 || strcmp(name, "Book") == 0) {
        size = read_some(storage, name, head, sizeof head);
        closed_workbook(head, size, compound->encryption);
    } else if (strcmp(name, "WordDocument") == 0) {
        size = read_some(storage, name, head, 64);
        closed_document(head, size, table,
                        read_some(storage, closed_document_table(head, size), table, sizeof table),
                        compound->encryption);
    } else if (strcmp(name, "Current User") == 0) {
        size = read_some(storage, name, head, 64);
        closed_presentation(head, size, compound->encryption);
    }
}

static void look_at(struct compound *compound, GsfInfile *storage, const char *name, bool in_root)
{
    static const struct {
        const char *name, *kind;
    } kinds[] = {
        {"WordDocument", "Word document"},
        {"Workbook", "Excel workbook"},
        {"Book", "Excel workbook"},
        {"PowerPoint Document", "PowerPoint presentation"},
        {"__properties_version1.0", "Outlook message"},
        {"EncryptedPackage", "encrypted Office document"},
        {"VisioDocument", "Visio drawing"},
    };

    for (size_t i = 0; in_root && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            compound->kind = kinds[i].kind;
    }
    if (in_root)
        look_for_encryption(compound, storage, name);
}

struct level {
    GsfInfile *storage;
    int next;
    size_t path_size;
};

static void push(struct level *levels, size_t *depth, GsfInfile *storage, size_t path_size)
{
    levels[(*depth)++] = (struct level){storage, 0, path_size};
}

/* One entry of a storage: a storage is gone into, a stream looked at. */
static void take(struct compound *compound, struct level *levels, size_t *depth, char *path)
{
    struct level *level = &levels[*depth - 1];
    int index = level->next++;
    const char *name = gsf_infile_name_by_index(level->storage, index);
    GsfInput *input = gsf_infile_child_by_index(level->storage, index);
    int more = snprintf(path + level->path_size, PATH_SIZE - level->path_size, "%s%s",
                        level->path_size > 0 ? "/" : "", name != NULL ? name : "");
    size_t size = level->path_size + (more > 0 ? (size_t)more : 0);

    if (input == NULL || name == NULL || size >= PATH_SIZE) {
        scan_note(compound->scan, 0, "a stream of a compound file cannot be read");
    } else if (GSF_IS_INFILE(input) && gsf_infile_num_children(GSF_INFILE(input)) >= 0) {
        if (*depth < LEVELS) {
            push(levels, depth, GSF_INFILE(input), size);
            return;
        }
        scan_limited(compound->scan, 0,
                     "storages of a compound file lie more than %d levels deep: not opened", LEVELS);
    } else {
        compound->streams++;
        look_at(compound, level->storage, name, level->path_size == 0);
        if (!is_own(name))
            open_stream(compound, level->storage, input, path);
    }
    if (input != NULL)
        g_object_unref(input);
}

static void walk(struct compound *compound, GsfInfile *root)
{
    struct level levels[LEVELS];
    char path[PATH_SIZE] = "";
    size_t depth = 0;

    push(levels, &depth, root, 0);
    while (depth > 0) {
        if (compound->code < 0 ||
            levels[depth - 1].next >= gsf_infile_num_children(levels[depth - 1].storage)) {
            depth--;
            if (depth > 0)
                g_object_unref(levels[depth].storage);
        } else if (compound->streams > STREAMS) {
            scan_limited(compound->scan, 0,
                         "more than %d streams in a compound file: the others were not opened", STREAMS);
            compound->code = -ENOSPC;
        } else {
            take(compound, levels, &depth, path);
        }
    }
}

static int read_compound(struct scan *scan, const uint8_t *data, size_t size)
{
    GsfInput *input = gsf_input_memory_new(data, (gsf_off_t)size, FALSE);
    GError *error = NULL;
    GsfInfile *root = input != NULL ? gsf_infile_msole_new(input, &error) : NULL;
    struct compound compound = {.scan = scan, .kind = ""};

    if (root == NULL) {
        scan_note(scan, 0, "a compound file that is damaged: %s", error != NULL ? error->message : "");
    } else {
        struct value values[4];

        walk(&compound, root);
        if (strcmp(compound.kind, "Outlook message") == 0)
            emit_message(scan, root);
        values[0] = value_text(compound.kind);
        values[1] = value_u64(compound.streams);
        values[2] = value_u64(compound.opened);
        values[3] = compound.encryption[0] != '\0' ? value_text(compound.encryption) : value_none();
        scan_emit(scan, &compound_type, values);
        g_object_unref(root);
    }
    g_clear_error(&error);
    if (input != NULL)
        g_object_unref(input);
    return compound.code == -ENOSPC ? 0 : compound.code;
}

static int ole_finish(struct scan *scan, enum scan_status status)
{
    const struct ole_stream *stream = scan_state(scan);
    uint64_t size = scan_kept(scan);
    const uint8_t *data;

    if (status == SCAN_SPARED || size == 0 || scan_peek(scan, 0, (size_t)size, &data) < 0)
        return 0;
    return stream->form == FORM_NATIVE ? read_native(scan, data, (size_t)size)
                                       : read_compound(scan, data, (size_t)size);
}

const struct plugin plugin_ole = {
    .abi = PLUGIN_ABI,
    .version = 3,
    .name = "ole",
    .summary = "Compound files (OLE2): embedded objects, attachments, messages of Outlook",
    .emits = ole_emits,
    .stream_size = sizeof(struct ole_stream),
    .setup = ole_setup,
    .start = ole_start,
    .finish = ole_finish,
    .traits = PLUGIN_SPARED,
};
