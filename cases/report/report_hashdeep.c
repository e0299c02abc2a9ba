/*
 * report_hashdeep: sizes and hash values in hashdeep's form [hashdeep's manual page: %%%% HASHDEEP-1.0, ##
 * comments], for `hashdeep -a -k`: every file that a file system names, by its address in the case. A content
 * of which a part could not be read has no hash value that could be compared; the last line says how many
 * these are.
 */
#include "cases/report/report_facts.h"
#include "cases/report/report_formats.h"

#include <string.h>

struct writing {
    struct report_out *out;
    uint64_t unread, unhashed;
};

static int each(void *context, const struct file_fact *fact)
{
    struct writing *w = context;
    if (strcmp(fact->kind, "file") != 0 || strcmp(fact->type, "folder") == 0 || !fact->has_content)
        return 0;
    if (!fact->md5[0] || !fact->sha256[0])
        w->unhashed++;
    else if (fact->unread)
        w->unread++;
    else
        buf_printf(&w->out->buf, "%llu,%s,%s,%s\n", (unsigned long long)fact->content_size, fact->md5,
                   fact->sha256, fact->path);
    return report_out_row(w->out);
}

int report_write_hashdeep(struct report_out *out, const struct report_from *from)
{
    struct writing w = {.out = out};
    buf_text(&out->buf, "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n");
    buf_printf(&out->buf, "## kvali report %s\n## case %s\n", from->name, from->model->number);
    buf_printf(&out->buf, "## ledger head %s\n## \n", from->model->ledger_head);
    int code = file_facts(from->cf, FACTS_ENTRIES, each, &w, from->why);
    if (code == 0)
        buf_printf(&out->buf, "## left out: %llu not read whole, %llu not hashed\n",
                   (unsigned long long)w.unread, (unsigned long long)w.unhashed);
    return code;
}
