/*
 * report_bodyfile: The Sleuth Kit's body file, version 3:
 * MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime, times in seconds since 1970, 0 where there is
 * none [wiki.sleuthkit.org, Body_file]. It cannot say times before 1970: these are 0 too, and how many is
 * said in a comment at the end, which mactime leaves out. NTFS' second set of times is a line of its own, as
 * fls -m writes it.
 */
#include "cases/report/report_facts.h"
#include "cases/report/report_formats.h"
#include "engine/base/when.h"
#include "engine/evidence/found.h"

#include <string.h>

struct writing {
    struct report_out *out;
    uint64_t early; /* times before 1970 */
};

/* A name ends at '|'. */
static void put_name(struct buf *buf, const char *name)
{
    for (; *name; name++)
        if (*name == '|')
            buf_text(buf, "\\x7c");
        else
            buf_u8(buf, (uint8_t)*name);
}

static char letter(const char *type)
{
    static const struct {
        const char *type;
        char letter;
    } letters[] = {{"file", 'r'},     {"folder", 'd'}, {"link", 'l'},     {"fifo", 'p'},   {"chardev", 'c'},
                   {"blockdev", 'b'}, {"socket", 'h'}, {"whiteout", 'w'}, {"virtual", 'v'}};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (!strcmp(letters[i].type, type))
            return letters[i].letter;
    return '-';
}

static void put_mode(struct buf *buf, const struct file_fact *fact)
{
    static const char rights[] = "rwxrwxrwx";
    char type = letter(fact->type);
    buf_printf(buf, "%c/%c", type, fact->flags & ENTRY_NO_METADATA ? '-' : type);
    for (unsigned i = 0; i < 9; i++)
        buf_u8(buf, fact->mode & (0400U >> i) ? (uint8_t)rights[i] : '-');
}

static void put_time(struct writing *w, int64_t when, char end)
{
    bool early = when != WHEN_NONE && when < 0;
    w->early += early;
    buf_printf(&w->out->buf, "%lld%c", when == WHEN_NONE || early ? 0LL : (long long)(when / 1000000000),
               end);
}

static void put_line(struct writing *w, const struct file_fact *fact, const char *suffix,
                     const int64_t times[4])
{
    struct buf *buf = &w->out->buf;
    buf_text(buf, fact->md5[0] ? fact->md5 : "0");
    buf_u8(buf, '|');
    put_name(buf, fact->path);
    buf_text(buf, suffix);
    if (file_fact_deleted(fact))
        buf_text(buf, fact->flags & ENTRY_REALLOCATED ? " (deleted-realloc)" : " (deleted)");
    buf_printf(buf, "|%llu", (unsigned long long)fact->inode);
    if (*fact->attribute) {
        buf_u8(buf, '-');
        put_name(buf, fact->attribute);
    }
    buf_u8(buf, '|');
    put_mode(buf, fact);
    buf_printf(buf, "|%llu|%llu|%llu|", (unsigned long long)fact->uid, (unsigned long long)fact->gid,
               (unsigned long long)fact->size);
    for (int i = 0; i < 4; i++)
        put_time(w, times[i], i < 3 ? '|' : '\n');
}

static int each(void *context, const struct file_fact *fact)
{
    struct writing *w = context;
    const int64_t times[] = {fact->accessed, fact->modified, fact->changed, fact->born};
    const int64_t name_times[] = {fact->name_accessed, fact->name_modified, fact->name_changed,
                                  fact->name_born};
    put_line(w, fact, "", times);
    for (int i = 0; i < 4; i++)
        if (name_times[i] != WHEN_NONE) {
            put_line(w, fact, " ($FILE_NAME)", name_times);
            break;
        }
    return report_out_row(w->out);
}

int report_write_bodyfile(struct report_out *out, const struct report_from *from)
{
    struct writing w = {.out = out};
    int code = file_facts(from->cf, FACTS_ENTRIES, each, &w, from->why);
    if (code == 0 && w.early)
        buf_printf(&out->buf, "# %llu times before 1970 are 0 here\n", (unsigned long long)w.early);
    return code;
}
