/* file_options: see file_options.h. */
#include "engine/cli/file_options.h"

#include <errno.h>

int file_options(const struct options *options, struct file_filter *ret_filter, struct why *why)
{
    struct file_filter filter = FILE_FILTER_ALL;
    filter.exhibit = options_text(options, "exhibit", NULL);
    filter.name = options_text(options, "name", NULL);
    filter.path = options_text(options, "path", NULL);
    filter.hash = options_text(options, "hash", NULL);
    filter.mime = options_text(options, "mime", NULL);
    filter.rule = options_text(options, "rule", NULL);
    filter.kind = options_text(options, "kind", NULL);
    filter.type = options_text(options, "type", NULL);
    filter.deleted = options_has(options, "deleted");
    filter.live = options_has(options, "live");
    filter.mismatch = options_has(options, "mismatch");
    if (filter.deleted && filter.live)
        return why_set(why, -EINVAL, "--deleted and --live: nothing is both; leave one out");
    int code = options_size(options, "min-size", &filter.size_min, why);
    if (code == 0)
        code = options_size(options, "max-size", &filter.size_max, why);
    if (code == 0)
        code = options_when(options, "after", &filter.after, why);
    if (code == 0)
        code = options_when(options, "before", &filter.before, why);
    if (code == 0)
        code = options_number(options, "limit", &filter.limit, why);
    if (code == 0)
        *ret_filter = filter;
    return code;
}
