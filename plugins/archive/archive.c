/*
 * archive: opens archives and compressed contents, so that every plugin sees what is in them.
 *
 * Which format it is, the bytes say (form.c); ZIP is read by zip.c, all others by libarchive (reader.c). Each
 * member becomes a child stream, and is opened itself when it is an archive, under the engine's limits; what
 * is no content (a folder, a link, what is encrypted) becomes a record alone.
 */
#include "engine/base/when.h"
#include "plugins/archive/packed.h"
#include "plugins/archive/reader.h"
#include "engine/base/text.h"
#include "plugins/archive/zip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { AHEAD = 8, NAME_SIZE = 512 };

struct archive_worker {
    struct charset *charset;
    struct archive_limits limits;
    struct family family;
    struct buf root; /* path of the stream that the family began with */
};

struct archive_stream {
    enum form form;
    bool program;
    uint64_t appended; /* where `form` begins behind a program */
    uint8_t tail[ZIP_END];
    size_t tail_size; /* the last bytes so far */
};

static const struct record_type *const archive_emits[] = {&archive_type, &member_type, NULL};

static int archive_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct archive_worker *mine = worker;
    int code = charset_new(&mine->charset);

    if (code < 0)
        return why_set(why, code, "iconv does not know CP437, CP866 and CP1251");
    mine->limits = (struct archive_limits){settings_number(settings, "archive.ratio"),
                                           settings_number(settings, "archive.ratio_from")};
    code = reader_setup();
    return code == 0 ? 0 : why_set(why, code, "there is no locale C.UTF-8");
}

static void archive_teardown(void *worker)
{
    struct archive_worker *mine = worker;

    charset_free(mine->charset);
    buf_finish(&mine->root);
}

/* ------------------------------------------------------------------ finding */

/* Free space and what nothing is known of is left to carve: what it recovers is opened. */
static bool may_be_archive(const struct stream_info *info)
{
    return info->kind == STREAM_FILE || info->kind == STREAM_ADS || info->kind == STREAM_CHILD ||
           info->kind == STREAM_CARVED;
}

/* Is the stream inside of the one that the family began with? */
static bool is_family(struct archive_worker *mine, const struct stream_info *info)
{
    size_t size = mine->root.size;

    return size > 0 && strncmp(info->path, buf_cstr(&mine->root), size) == 0 &&
           strncmp(info->path + size, "!/", 2) == 0;
}

/* Streams of the file system begin a family; what is found inside belongs to it. Where this plugin did not see the
 * outermost stream (it was left out after a crash), what others find in it begins one: not that of the stream before. */
static void begin_family(struct scan *scan)
{
    struct archive_worker *mine = scan_worker(scan);
    const struct stream_info *info = scan_stream(scan);

    if (info->depth > 0 && is_family(mine, info))
        return;
    mine->family = (struct family){.root = info->size};
    buf_clear(&mine->root);
    buf_text(&mine->root, info->path);
}

static enum plugin_want archive_start(struct scan *scan)
{
    struct archive_stream *stream = scan_state(scan);
    uint64_t kept = scan_kept(scan);
    size_t size = kept < FORM_HEAD ? (size_t)kept : FORM_HEAD;
    const uint8_t *head;

    begin_family(scan);
    if (!may_be_archive(scan_stream(scan)) || size == 0 || scan_peek(scan, 0, size, &head) < 0)
        return PLUGIN_SKIP;
    stream->form = form_of(head, size);
    stream->program = form_is_program(head, size);
    return PLUGIN_FEED;
}

static void keep_tail(struct archive_stream *stream, const struct block *block)
{
    size_t take = block->size < ZIP_END ? block->size : ZIP_END;
    size_t stay = stream->tail_size + take <= ZIP_END ? stream->tail_size : ZIP_END - take;

    memmove(stream->tail, stream->tail + stream->tail_size - stay, stay);
    memcpy(stream->tail + stay, block->data + block->size - take, take);
    stream->tail_size = stay + take;
}

/* Behind a program: the first place where an archive begins. */
static int archive_feed(struct scan *scan, const struct block *block)
{
    struct archive_stream *stream = scan_state(scan);
    const uint8_t *end = block->data + block->size, *limit = end + block->ahead;

    keep_tail(stream, block);
    if (!stream->program || stream->form != FORM_NONE)
        return 0;
    for (const uint8_t *at = block->data; at + 8 <= limit && at < end && stream->form == FORM_NONE; at++) {
        if (*at != '7' && *at != 'R' && *at != 'M')
            continue;
        stream->form = form_appended(at, (size_t)(limit - at));
        stream->appended = block->offset + (uint64_t)(at - block->data);
    }
    return 0;
}

static bool is_iso(struct scan *scan)
{
    uint8_t mark[FORM_ISO_SIZE];
    size_t got;

    return scan_reach(scan) > FORM_ISO_OFFSET + FORM_ISO_SIZE &&
           scan_read(scan, FORM_ISO_OFFSET, mark, sizeof mark, &got) == 0 && got == sizeof mark &&
           form_is_iso(mark);
}

/* ------------------------------------------------------------------ with libarchive */

/* The name of what is inside of a compressed content: its own without the ending that says how it is
 * compressed. */
static size_t inner_name(const struct stream_info *info, char ret[NAME_SIZE])
{
    static const struct {
        const char *from, *to;
    } endings[] = {
        {".tgz", ".tar"}, {".tbz", ".tar"}, {".tbz2", ".tar"}, {".txz", ".tar"}, {".tzst", ".tar"},
        {".tlz", ".tar"}, {".taz", ".tar"}, {".svgz", ".svg"}, {".gz", ""},      {".bz2", ""},
        {".xz", ""},      {".zst", ""},     {".lz4", ""},      {".lzma", ""},    {".lz", ""},
        {".z", ""},       {".Z", ""},
    };
    struct buf name = {0};
    size_t size = 0;

    if (text_unescape(&name, info->name) < 0)
        buf_clear(&name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0] && size == 0; i++) {
        size_t from = strlen(endings[i].from), to = strlen(endings[i].to);

        if (name.size <= from || name.size - from + to >= NAME_SIZE ||
            strcasecmp(buf_cstr(&name) + name.size - from, endings[i].from) != 0)
            continue;
        size = name.size - from;
        memcpy(ret, name.data, size);
        memcpy(ret + size, endings[i].to, to);
        size += to;
    }
    buf_finish(&name);
    if (size == 0)
        memcpy(ret, "content", size = 7);
    return size;
}

/* The first piece comes before the content is opened: then the header is read. */
static int walk_packed(struct opened *opened)
{
    struct member member = {.kind = MEMBER_FILE,
                            .size = UINT64_MAX,
                            .packed = opened->source.size,
                            .accessed = WHEN_NONE,
                            .changed = WHEN_NONE,
                            .born = WHEN_NONE,
                            .method = form_name(opened->form)};
    enum scan_status status = SCAN_WHOLE;
    struct content *content;
    struct packed *packed;
    char name[NAME_SIZE];
    const void *data;
    uint32_t time;
    size_t size;
    int more, code = packed_open(opened->form, &opened->source, &packed);

    if (code < 0)
        return code;
    more = packed_read(packed, &data, &size);
    member.name = packed_name(packed, &time);
    member.modified = time != 0 ? when_from_unix(time, 0) : WHEN_NONE;
    member.name_size =
        member.name != NULL ? strlen(member.name) : inner_name(scan_stream(opened->scan), name);
    member.name = member.name != NULL ? member.name : name;
    content = more >= 0 ? member_open(opened, &member, NULL) : NULL;
    while (content != NULL && more > 0 && member_write(opened, content, data, size))
        more = packed_read(packed, &data, &size);
    if (more < 0 && !opened->stop) {
        opened_problem(opened, 0,
                       more == -ENODATA ? "it breaks off"
                                        : "it is damaged: what came before is all there is");
        status = SCAN_CUT;
    }
    if (packed_trailing(packed) > 0)
        opened_problem(opened, opened->source.size - packed_trailing(packed),
                       "%" PRIu64 " bytes stand behind the end", packed_trailing(packed));
    if (content != NULL)
        member_close(opened, content, status);
    packed_close(packed);
    return 0;
}

static const char *state_of(const struct member *member)
{
    switch (member->kind) {
    case MEMBER_DIRECTORY:
        return "directory";
    case MEMBER_SYMLINK:
        return "symbolic link";
    case MEMBER_HARDLINK:
        return "hard link";
    case MEMBER_SPECIAL:
        return "special";
    default:
        return member->encrypted != NULL ? "encrypted" : "content";
    }
}

/* The first bytes decide whether the library can unpack it at all. */
static void open_content(struct opened *opened, struct reader *reader, const struct member *member)
{
    const void *data = NULL;
    uint64_t gap = 0;
    size_t size = 0;
    int code = reader_data(reader, &data, &size, &gap);
    enum scan_status status = SCAN_WHOLE;
    struct content *content;

    if (code == -ENOTSUP) {
        member_listed(opened, member, "unsupported");
        scan_limited(opened->scan, opened->source.base + member->offset, "a member cannot be unpacked");
        opened_problem(opened, member->offset, "%s", reader_error(reader));
        return;
    }
    content = member_open(opened, member, NULL);
    if (content == NULL)
        return;
    while (code > 0 && member_write(opened, content, NULL, gap) && member_write(opened, content, data, size))
        code = reader_data(reader, &data, &size, &gap);
    if (!opened->stop && (code < 0 || reader_warned(reader))) {
        opened_problem(opened, member->offset, "a member is damaged: %s", reader_error(reader));
        status = code < 0 ? SCAN_CUT : SCAN_WHOLE;
    }
    member_close(opened, content, status);
}

static void take_member(struct opened *opened, struct reader *reader, struct member *member)
{
    char name[NAME_SIZE];
    const char *state;

    if (form_is_packed(opened->form)) {
        member->name_size = inner_name(scan_stream(opened->scan), name);
        member->name = name;
    }
    state = state_of(member);
    if (strcmp(state, "content") == 0)
        open_content(opened, reader, member);
    else
        member_listed(opened, member, state);
}

static int walk(struct opened *opened)
{
    struct reader *reader;
    struct member member;
    int code = reader_open(opened->form, &opened->source, &reader);

    if (code < 0)
        return code;
    while (!opened->stop && (code = reader_next(reader, &member)) > 0)
        take_member(opened, reader, &member);
    if (code < 0 && !opened->stop && reader_is_closed(reader) && opened->members == 0)
        opened->hidden = "yes";
    else if (code < 0 && !opened->stop)
        opened_problem(opened, reader_position(reader) < opened->source.size ? reader_position(reader) : 0,
                       "the archive is damaged: %s", reader_error(reader));
    if (opened->source.error == -EDQUOT)
        scan_limited(opened->scan, opened->source.base,
                     "it jumps to and fro too often: %" PRIu64 " bytes of it were read", opened->source.read);
    snprintf(opened->room, sizeof opened->room, "%s", reader_detail(reader));
    opened->detail = opened->room;
    reader_close(reader);
    return 0;
}

/* ------------------------------------------------------------------ */

static int open_archive(struct scan *scan, enum form form, uint64_t at, bool program)
{
    struct archive_worker *mine = scan_worker(scan);
    struct opened opened = {.scan = scan,
                            .charset = mine->charset,
                            .limits = &mine->limits,
                            .family = &mine->family,
                            .form = form,
                            .detail = ""};
    int code;

    source_init(&opened.source, scan, at, scan_reach(scan) - at);
    code = form == FORM_ZIP     ? zip_walk(&opened, program)
           : packed_knows(form) ? walk_packed(&opened)
                                : walk(&opened);
    opened_emit(&opened);
    opened_finish(&opened);
    return code;
}

/* Behind programs an end with a comment is looked for, too. Other things end in a ZIP when they are two
 * things in one. */
static bool ends_in_zip(struct scan *scan)
{
    const struct archive_stream *stream = scan_state(scan);
    struct source_bytes source;

    if (!stream->program)
        return stream->form == FORM_NONE && stream->tail_size == ZIP_END && zip_is_end(stream->tail);
    source_init(&source, scan, 0, scan_reach(scan));
    return zip_has_directory(&source);
}

static int archive_finish(struct scan *scan, enum scan_status status)
{
    const struct archive_stream *stream = scan_state(scan);
    enum form form = stream->form;

    if (status == SCAN_SPARED || scan_reach(scan) <= stream->appended)
        return 0;
    if (ends_in_zip(scan))
        return open_archive(scan, FORM_ZIP, 0, true);
    if (form == FORM_NONE && is_iso(scan))
        form = FORM_ISO;
    return form != FORM_NONE ? open_archive(scan, form, stream->appended, stream->program) : 0;
}

const struct plugin plugin_archive = {
    .abi = PLUGIN_ABI,
    .version = 5,
    .name = "archive",
    .summary = "Archives and compressed contents opened: members as streams of their own",
    .emits = archive_emits,
    .ahead = AHEAD,
    .worker_size = sizeof(struct archive_worker),
    .stream_size = sizeof(struct archive_stream),
    .setup = archive_setup,
    .teardown = archive_teardown,
    .start = archive_start,
    .feed = archive_feed,
    .finish = archive_finish,
    .traits = PLUGIN_SPARED,
};
