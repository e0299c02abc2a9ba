/* member: see member.h. */
#include "plugins/archive/member.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct field archive_fields[] = {
    {"form", FIELD_TEXT, "", "what it is: zip, 7z, tar, gzip …"},
    {"detail", FIELD_TEXT, "", "its variant"},
    {"members", FIELD_U64, "", "names in it, as far as they were read"},
    {"contents", FIELD_U64, "", "of these, contents that became streams"},
    {"encrypted", FIELD_U64, "", "of these, encrypted ones that no key opened"},
    {"unsupported", FIELD_U64, "", "of these, packed in a way that cannot be unpacked"},
    {"unlisted", FIELD_U64, "", "found by their own headers, for no directory names them"},
    {"encrypted_names", FIELD_TEXT, "", "how, when the names are encrypted too"},
    {"offset", FIELD_U64, "bytes", "where it begins in the stream: not 0 behind a program"},
    {"unpacked", FIELD_U64, "bytes", "contents together"},
    {"problem", FIELD_TEXT, "", "the first that was wrong with it"},
};
const struct record_type archive_type = {"archive", 1, "an archive or a compressed content", archive_fields,
                                         sizeof archive_fields / sizeof archive_fields[0]};

static const struct field member_fields[] = {
    {"name", FIELD_TEXT, "", "as text"},
    {"name_bytes", FIELD_BYTES, "", "as stored"},
    {"charset", FIELD_TEXT, "", "what the name was read as; empty: ASCII"},
    {"charset_known", FIELD_U64, "", "1: the archive says so, 0: a guess"},
    {"state", FIELD_TEXT, "",
     "content, directory, symbolic link, hard link, special, encrypted, unsupported, missing"},
    {"target", FIELD_TEXT, "", "of a link"},
    {"size", FIELD_U64, "bytes", "unpacked, as the archive says"},
    {"packed", FIELD_U64, "bytes", "as the archive says"},
    {"modified", FIELD_WHEN, "", "last change of the content"},
    {"accessed", FIELD_WHEN, "", "last access"},
    {"changed", FIELD_WHEN, "", "last change of the metadata"},
    {"born", FIELD_WHEN, "", "creation"},
    {"time_zone", FIELD_TEXT, "", "UTC, or local: the packer's own, which is not known"},
    {"mode", FIELD_U64, "", "permissions and type as Unix has them"},
    {"uid", FIELD_U64, "", "number of the user"},
    {"gid", FIELD_U64, "", "number of the group"},
    {"owner", FIELD_TEXT, "", "name of the user"},
    {"owner_group", FIELD_TEXT, "", "name of the group"},
    {"method", FIELD_TEXT, "", "how it is packed"},
    {"encryption", FIELD_TEXT, "", "how it is encrypted"},
    {"unlisted", FIELD_TEXT, "", "no directory names it: what it was found by"},
    {"offset", FIELD_U64, "bytes", "of its header in the stream"},
    {"key", FIELD_TEXT, "", "which of the keys given opened it, or that none did"},
};
enum { MEMBER_FIELDS = sizeof member_fields / sizeof member_fields[0] };
const struct record_type member_type = {"member", 2, "a member of an archive", member_fields, MEMBER_FIELDS};

void opened_finish(struct opened *opened)
{
    buf_finish(&opened->problem);
}

void opened_problem(struct opened *opened, uint64_t offset, const char *format, ...)
{
    char text[512];
    struct buf escaped = {0};
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_escape(&escaped, text, strlen(text));
    scan_note(opened->scan, offset, "%s", buf_cstr(&escaped));
    if (opened->problem.size == 0)
        buf_append(&opened->problem, escaped.data, escaped.size);
    buf_finish(&escaped);
}

/* ------------------------------------------------------------------ records */

struct texts {
    struct buf name, shown, target, owner, group;
};

static void texts_finish(struct texts *texts)
{
    buf_finish(&texts->name);
    buf_finish(&texts->shown);
    buf_finish(&texts->target);
    buf_finish(&texts->owner);
    buf_finish(&texts->group);
}

static struct value escaped(const char *text, struct buf *room)
{
    return text != NULL ? value_escaped(room, text, strlen(text)) : value_none();
}

static struct value known(uint64_t number)
{
    return number == UINT64_MAX ? value_none() : value_u64(number < INT64_MAX ? number : INT64_MAX);
}

static struct value when(int64_t when)
{
    return when == WHEN_NONE ? value_none() : value_i64(when);
}

static const char *decode(const struct opened *opened, const struct member *member, struct buf *ret)
{
    if (member->unicode != NULL && text_is_utf8(member->unicode, member->unicode_size)) {
        buf_append(ret, member->unicode, member->unicode_size);
        return "UTF-8";
    }
    if (member->charset != NULL && text_is_utf8(member->name, member->name_size)) {
        buf_append(ret, member->name, member->name_size);
        return member->charset;
    }
    return charset_decode(opened->charset, member->name, member->name_size, member->oem, ret);
}

static void fill(const struct opened *opened, const struct member *member, const char *state,
                 struct texts *texts, struct value values[MEMBER_FIELDS])
{
    bool dated = member->modified != WHEN_NONE || member->accessed != WHEN_NONE ||
                 member->changed != WHEN_NONE || member->born != WHEN_NONE;
    const char *charset = decode(opened, member, &texts->name);
    const struct value list[MEMBER_FIELDS] = {
        [1] = value_bytes(member->name, member->name_size),
        [2] = value_text(charset),
        [3] = value_u64(member->charset != NULL || member->unicode != NULL),
        [4] = value_text(state),
        [5] = escaped(member->target, &texts->target),
        [6] = known(member->size),
        [7] = known(member->packed),
        [8] = when(member->modified),
        [9] = when(member->accessed),
        [10] = when(member->changed),
        [11] = when(member->born),
        [12] = dated ? value_text(member->local ? "local" : "UTC") : value_none(),
        [13] = member->owned ? value_u64(member->mode) : value_none(),
        [14] = member->owned ? known(member->uid) : value_none(),
        [15] = member->owned ? known(member->gid) : value_none(),
        [16] = escaped(member->owner, &texts->owner),
        [17] = escaped(member->group, &texts->group),
        [18] = value_text(member->method),
        [19] = value_text(member->encrypted),
        [20] = value_text(member->unlisted),
        [21] = value_u64(opened->source.base + member->offset),
        [22] = value_text(member->key),
    };

    memcpy(values, list, sizeof list);
    values[0] = value_escaped(&texts->shown, texts->name.data, texts->name.size);
}

void member_listed(struct opened *opened, const struct member *member, const char *state)
{
    struct value values[MEMBER_FIELDS];
    struct texts texts = {0};
    int code;

    fill(opened, member, state, &texts, values);
    code = scan_emit(opened->scan, &member_type, values);
    opened->stop = opened->stop || code == -ENOSPC;
    opened->members++;
    opened->encrypted += strcmp(state, "encrypted") == 0;
    opened->unsupported += strcmp(state, "unsupported") == 0;
    opened->unlisted += member->unlisted != NULL;
    texts_finish(&texts);
}

void opened_emit(struct opened *opened)
{
    const struct value values[] = {
        value_text(form_name(opened->form)),
        value_text(opened->detail),
        value_u64(opened->members),
        value_u64(opened->contents),
        value_u64(opened->encrypted),
        value_u64(opened->unsupported),
        value_u64(opened->unlisted),
        value_text(opened->hidden),
        value_u64(opened->source.base),
        known(opened->out),
        opened->problem.size > 0 ? value_text(buf_cstr(&opened->problem)) : value_none(),
    };

    scan_emit(opened->scan, &archive_type, values);
}

/* ------------------------------------------------------------------ contents */

/* The record is read when the sink is closed. */
struct content {
    struct sink *sink;
    struct value values[MEMBER_FIELDS];
    struct texts texts;
};

static void content_free(struct content *content)
{
    texts_finish(&content->texts);
    free(content);
}

struct content *member_open(struct opened *opened, const struct member *member,
                            const struct scan_piece *pieces)
{
    struct content *content = calloc(1, sizeof *content);
    struct child child = {.kind = STREAM_CHILD,
                          .offset = opened->source.base + member->offset,
                          .pieces = pieces,
                          .piece_count = pieces != NULL,
                          .about = &member_type,
                          .deleted = member->hidden};

    opened->stop = true;
    if (content == NULL)
        return NULL;
    fill(opened, member, "content", &content->texts, content->values);
    child.values = content->values;
    child.name = content->texts.name.data;
    child.name_size = content->texts.name.size;
    content->sink = scan_child(opened->scan, &child);
    if (content->sink == NULL) {
        content_free(content);
        return NULL;
    }
    opened->stop = false;
    opened->members++;
    opened->contents++;
    opened->unlisted += member->unlisted != NULL;
    return content;
}

static bool is_too_much(uint64_t out, uint64_t in, uint64_t from, const struct archive_limits *limits)
{
    return limits->ratio > 0 && out > from && out / limits->ratio > in;
}

/* Archives in archives multiply: ten times as much may come out of them together before that counts. */
enum { FAMILY = 10 };

void member_count(struct opened *opened, uint64_t size)
{
    const struct archive_limits *limits = opened->limits;
    struct family *family = opened->family;
    uint64_t in = opened->source.read, out = opened->out += size;

    family->out += size;
    if (opened->stop)
        return;
    if (is_too_much(family->out, family->root, u64_mul_saturating(limits->ratio_from, FAMILY), limits)) {
        in = family->root;
        out = family->out;
    } else if (!is_too_much(out, in, limits->ratio_from, limits)) {
        return;
    }
    scan_limited(opened->scan, opened->source.base,
                 "archive.ratio: %" PRIu64 " bytes came out of %" PRIu64 "%s, more than %" PRIu64
                 " times as many: the rest was not unpacked",
                 out, in, in == family->root && out == family->out ? ", all levels together" : "",
                 limits->ratio);
    opened->stop = true;
}

bool member_write(struct opened *opened, struct content *content, const void *data, uint64_t size)
{
    static const uint8_t zeros[16 * 1024];
    int code = 0;

    while (size > 0 && code == 0 && !opened->stop) {
        size_t part = data != NULL ? (size_t)size : size < sizeof zeros ? (size_t)size : sizeof zeros;

        code = sink_write(content->sink, data != NULL ? data : zeros, part);
        size -= part;
        member_count(opened, part);
    }
    opened->stop = opened->stop || code < 0;
    return code == 0 && !opened->stop;
}

void member_close(struct opened *opened, struct content *content, enum scan_status status)
{
    sink_close(content->sink, opened->stop ? SCAN_CUT : status);
    content_free(content);
}
