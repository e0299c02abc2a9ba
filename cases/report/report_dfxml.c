/*
 * report_dfxml: Digital Forensics XML 2.0.0-beta.0 [github.com/dfxml-working-group/dfxml_schema, dfxml.xsd].
 * The order of elements is the schema's.
 *
 * `volume` elements hold what their file system names, as fiwalk lists it. What it does not name (alternate
 * streams, members of archives, recovered objects) follows behind the volumes, with an attribute in kvali's
 * namespace that says what it is. XML cannot hold every byte of a name: `filename` has it escaped
 * (engine/base/text.h), and where that differs from what is stored, `kvali:name` has the bytes.
 */
#include "cases/report/report_facts.h"
#include "cases/report/report_formats.h"
#include "cases/report/safe.h"
#include "cases/runs.h"
#include "engine/base/text.h"
#include "engine/base/version.h"
#include "engine/base/when.h"
#include "engine/evidence/found.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writing {
    struct report_out *out;
    uint64_t id, exhibit;
    struct buf volume; /* key of the one that is open; "" none is */
    bool open;
    struct buf bare;            /* the last file that had no row of its own */
    struct db_statement *entry; /* is there one of this exhibit with this path? */
};

static void put_escaped(struct buf *buf, const char *text)
{
    struct buf safe = {0};
    safe_text(&safe, text, strlen(text));
    for (size_t i = 0; i < safe.size; i++)
        switch (safe.data[i]) {
        case '&':
            buf_text(buf, "&amp;");
            break;
        case '<':
            buf_text(buf, "&lt;");
            break;
        case '>':
            buf_text(buf, "&gt;");
            break;
        case '"':
            buf_text(buf, "&quot;");
            break;
        default:
            buf_u8(buf, safe.data[i]);
        }
    if (buf_failed(&safe))
        buf->failed = true;
    buf_finish(&safe);
}

static void put(struct buf *buf, const char *element, const char *text)
{
    if (!*text)
        return;
    buf_printf(buf, "<%s>", element);
    put_escaped(buf, text);
    buf_printf(buf, "</%s>", element);
}

static void put_number(struct buf *buf, const char *element, uint64_t number)
{
    buf_printf(buf, "<%s>%llu</%s>", element, (unsigned long long)number, element);
}

/* FAT keeps its times in steps of this many seconds; 0: better than one. */
static unsigned precision(const char *filesystem, const char *element)
{
    bool fat = !strncmp(filesystem, "fat", 3);
    return fat && !strcmp(element, "mtime") ? 2 : fat && !strcmp(element, "atime") ? 86400 : 0;
}

static void put_time(struct buf *buf, const struct file_fact *fact, const char *element, int64_t when)
{
    char text[WHEN_TEXT_SIZE];
    unsigned seconds = precision(fact->filesystem, element);
    if (when == WHEN_NONE)
        return;
    when_format(when, text);
    if (seconds)
        buf_printf(buf, "<%s prec=\"%u\">%s</%s>", element, seconds, text, element);
    else
        buf_printf(buf, "<%s>%s</%s>", element, text, element);
}

static void put_runs(struct buf *buf, const struct file_fact *fact)
{
    uint64_t at = 0, offset, size;
    const char *runs = fact->runs;
    bool any = false;
    while (at < UINT64_MAX / 2 && runs_next(&runs, &offset, &size)) {
        buf_printf(buf, "%s<byte_run file_offset=\"%llu\"", any ? "" : "<byte_runs>", (unsigned long long)at);
        if (offset != UINT64_MAX && offset >= fact->volume_offset && *fact->filesystem)
            buf_printf(buf, " fs_offset=\"%llu\"", (unsigned long long)(offset - fact->volume_offset));
        if (offset != UINT64_MAX && !fact->inside)
            buf_printf(buf, " img_offset=\"%llu\"", (unsigned long long)offset);
        else if (offset == UINT64_MAX)
            buf_text(buf, " fill=\"0\"");
        buf_printf(buf, " len=\"%llu\"/>", (unsigned long long)size);
        at += size;
        any = true;
    }
    if (any)
        buf_text(buf, "</byte_runs>");
}

/* name_type and meta_type as libtsk numbers them. */
static void put_type(struct buf *buf, const struct file_fact *fact)
{
    static const struct {
        const char *type, *name;
        unsigned meta;
    } types[] = {{"file", "r", 1},    {"folder", "d", 2},   {"fifo", "p", 3},
                 {"chardev", "c", 4}, {"blockdev", "b", 5}, {"link", "l", 6},
                 {"socket", "s", 8},  {"whiteout", "w", 9}, {"virtual", "v", 10}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].type, fact->type))
            put(buf, "name_type", types[i].name);
    put_number(buf, "filesize", fact->size);
    put_number(buf, "alloc_inode", !(fact->flags & ENTRY_CONTENT_DELETED));
    put_number(buf, "alloc_name", !(fact->flags & ENTRY_NAME_DELETED));
    if (fact->flags & ENTRY_ORPHAN)
        put_number(buf, "orphan", 1);
    if (fact->flags & ENTRY_COMPRESSED)
        put_number(buf, "compressed", 1);
    if (fact->inner)
        return;
    put_number(buf, "inode", fact->inode);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].type, fact->type) && !(fact->flags & ENTRY_NO_METADATA))
            put_number(buf, "meta_type", types[i].meta);
    put_number(buf, "mode", fact->mode);
    put_number(buf, "nlink", fact->links);
    put_number(buf, "uid", fact->uid);
    put_number(buf, "gid", fact->gid);
}

static void put_hash(struct buf *buf, const char *type, const char *hex)
{
    if (*hex)
        buf_printf(buf, "<hashdigest type=\"%s\">%s</hashdigest>", type, hex);
}

/* The last component, escaped: is it what is stored? */
static bool is_plain(const struct file_fact *fact)
{
    struct buf escaped = {0};
    const char *slash = strrchr(fact->path, '/'), *name = slash ? slash + 1 : fact->path;
    text_escape_name(&escaped, fact->name, fact->name_size);
    bool plain =
        !fact->name_size || (escaped.size == fact->name_size &&
                             !memcmp(escaped.data, fact->name, escaped.size) && strlen(name) == escaped.size);
    buf_finish(&escaped);
    return plain;
}

static void put_file(struct writing *w, const struct file_fact *fact, bool named)
{
    struct buf *buf = &w->out->buf;
    buf_text(buf, "<fileobject");
    if (!named) {
        buf_text(buf, " kvali:kind=\"");
        put_escaped(buf, fact->kind);
        buf_text(buf, "\"");
    }
    buf_text(buf, ">");
    put(buf, "filename", named ? fact->within : fact->path);
    put_number(buf, "id", ++w->id);
    put_type(buf, fact);
    put_time(buf, fact, "mtime", fact->modified);
    put_time(buf, fact, "ctime", fact->changed);
    put_time(buf, fact, "atime", fact->accessed);
    put_time(buf, fact, "crtime", fact->born);
    if (fact->sequence)
        put_number(buf, "seq", fact->sequence);
    put_time(buf, fact, "dtime", fact->removed);
    put(buf, "link_target", fact->target);
    put(buf, "libmagic", fact->mime);
    put_runs(buf, fact);
    if (fact->unread == 0) {
        put_hash(buf, "md5", fact->md5);
        put_hash(buf, "sha1", fact->sha1);
        put_hash(buf, "sha256", fact->sha256);
    }
    put(buf, "kvali:path", fact->path);
    if (fact->unread)
        put_number(buf, "kvali:unread_bytes", fact->unread);
    if (!is_plain(fact)) {
        buf_text(buf, "<kvali:name>");
        text_hex(buf, fact->name, fact->name_size);
        buf_text(buf, "</kvali:name>");
    }
    put(buf, "kvali:grade", fact->grade);
    buf_text(buf, "</fileobject>\n");
}

static void close_volume(struct writing *w)
{
    if (w->open)
        buf_text(&w->out->buf, "</volume>\n");
    w->open = false;
}

static void open_volume(struct writing *w, const struct file_fact *fact)
{
    struct buf *buf = &w->out->buf;
    if (w->open && w->exhibit == fact->exhibit_id && !strcmp(buf_cstr(&w->volume), fact->volume))
        return;
    close_volume(w);
    w->open = true;
    w->exhibit = fact->exhibit_id;
    buf_clear(&w->volume);
    buf_text(&w->volume, fact->volume);
    buf_printf(buf, "<volume offset=\"%llu\" kvali:exhibit=\"", (unsigned long long)fact->volume_offset);
    put_escaped(buf, fact->exhibit);
    buf_text(buf, "\" kvali:volume=\"");
    put_escaped(buf, fact->volume);
    buf_text(buf, "\">");
    put_number(buf, "partition_offset", fact->volume_offset);
    if (fact->sector_size)
        put_number(buf, "sector_size", fact->sector_size);
    if (fact->block_size)
        put_number(buf, "block_size", fact->block_size);
    put(buf, "ftype_str", fact->filesystem);
    buf_text(buf, "\n");
}

/* Where the name of an attribute begins in the address; NULL: the content is the file's own. */
static const char *attribute_of(const struct file_fact *fact)
{
    const char *slash = strrchr(fact->path, '/');
    return *fact->attribute ? strrchr(slash ? slash : fact->path, ':') : NULL;
}

static bool is_named(const struct file_fact *fact)
{
    return !fact->inner && fact->within != fact->path && !attribute_of(fact) &&
           (!strcmp(fact->kind, "file") || !strcmp(fact->kind, "meta"));
}

static int has_entry(struct writing *w, uint64_t exhibit, const char *path)
{
    db_bind_u64(w->entry, 1, exhibit);
    db_bind_text(w->entry, 2, path);
    int code = db_step(w->entry);
    db_reset(w->entry);
    return code;
}

/* A file that has named attributes alone, NTFS' $Secure for one, has no row of its own: the first of them
 * stands for it. */
static int put_bare(struct writing *w, const struct file_fact *fact)
{
    const char *colon = attribute_of(fact);
    struct file_fact bare = *fact;
    if (fact->inner || !colon || fact->within == fact->path)
        return 0;
    char *path = strndup(fact->path, (size_t)(colon - fact->path));
    if (!path)
        return -ENOMEM;
    int code = !strcmp(path, buf_cstr(&w->bare)) ? 1 : has_entry(w, fact->exhibit_id, path);
    if (code == 0) {
        bare.path = path;
        bare.within = path + (fact->within - fact->path);
        bare.size = bare.name_size = bare.unread = 0;
        bare.runs = bare.mime = bare.grade = "";
        bare.md5[0] = bare.sha1[0] = bare.sha256[0] = 0;
        open_volume(w, fact);
        put_file(w, &bare, true);
        buf_clear(&w->bare);
        buf_text(&w->bare, path);
    }
    free(path);
    return code < 0 ? code : 0;
}

static int each_named(void *context, const struct file_fact *fact)
{
    struct writing *w = context;
    int code = put_bare(w, fact);
    if (code < 0 || !is_named(fact))
        return code;
    open_volume(w, fact);
    put_file(w, fact, true);
    return report_out_row(w->out);
}

static int each_other(void *context, const struct file_fact *fact)
{
    struct writing *w = context;
    if (is_named(fact))
        return 0;
    put_file(w, fact, false);
    return report_out_row(w->out);
}

static void put_head(struct buf *buf, const struct report_from *from)
{
    const struct report_model *model = from->model;
    char when[WHEN_TEXT_SIZE];
    buf_text(buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<dfxml xmlns=\"http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML\" "
                  "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:kvali=\"urn:kvali:dfxml:1\" "
                  "version=\"2.0.0-beta.0\">\n"
                  "<metadata><dc:type>Disk Image</dc:type>");
    put(buf, "dc:identifier", from->name);
    put(buf, "dc:source", model->number);
    buf_text(buf, "</metadata>\n<creator><program>kvali</program>");
    put(buf, "version", kvali_version());
    buf_text(buf, "<build_environment>");
    for (size_t i = 0; i < model->versions.count; i++) {
        buf_text(buf, "<library name=\"");
        put_escaped(buf, model->versions.items[i].key);
        buf_text(buf, "\" version=\"");
        put_escaped(buf, model->versions.items[i].value);
        buf_text(buf, "\"/>");
    }
    buf_text(buf, "</build_environment><execution_environment>");
    if (model->first_run != WHEN_NONE)
        put(buf, "start_time", when_format(model->first_run, when));
    buf_text(buf, "</execution_environment></creator>\n<source>");
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        put(buf, "image_filename", model->exhibits[i].path);
    buf_text(buf, "</source>\n");
}

int report_write_dfxml(struct report_out *out, const struct report_from *from)
{
    struct writing w = {.out = out};
    int code =
        db_prepare(casefile_db(from->cf), "SELECT 1 FROM t_entry WHERE exhibit = ?1 AND path = ?2", &w.entry);
    put_head(&out->buf, from);
    if (code == 0)
        code = file_facts(from->cf, FACTS_ENTRIES, each_named, &w, from->why);
    close_volume(&w);
    if (code == 0)
        code = file_facts(from->cf, FACTS_ALL, each_other, &w, from->why);
    buf_text(&out->buf, "</dfxml>\n");
    db_finalize(w.entry);
    buf_finish(&w.volume);
    buf_finish(&w.bare);
    return code;
}
