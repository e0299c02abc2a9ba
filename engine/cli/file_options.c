/* file_options: see file_options.h. */
#include "engine/cli/file_options.h"

#include <errno.h>
#include <string.h>

static bool is_grade(const char *word)
{
    static const char *const grades[] = {"validated", "complete", "partial", "fragment"};
    for (size_t i = 0; i < sizeof grades / sizeof *grades; i++)
        if (strcmp(grades[i], word) == 0)
            return true;
    return false;
}

int file_options(const struct options *options, struct file_filter *ret_filter, struct why *why)
{
    struct file_filter filter = FILE_FILTER_ALL;
    filter.exhibit = options_text(options, "exhibit", NULL);
    filter.name = options_text(options, "name", NULL);
    filter.path = options_text(options, "path", NULL);
    filter.hash = options_text(options, "hash", NULL);
    filter.mime = options_text(options, "mime", NULL);
    filter.rule = options_text(options, "rule", NULL);
    filter.hashset = options_text(options, "in-set", NULL);
    filter.keyword = options_text(options, "keyword", NULL);
    filter.feature = options_text(options, "feature", NULL);
    filter.kind = options_text(options, "kind", NULL);
    filter.type = options_text(options, "type", NULL);
    filter.grade = options_text(options, "grade", NULL);
    filter.carved = options_has(options, "carved") || filter.grade;
    filter.deleted = options_has(options, "deleted");
    filter.live = options_has(options, "live");
    filter.mismatch = options_has(options, "mismatch");
    if (filter.deleted && filter.live)
        return why_set(why, -EINVAL, "--deleted and --live: nothing is both; leave one out");
    if (filter.carved && filter.kind && strcmp(filter.kind, "carved") != 0)
        return why_set(why, -EINVAL, "--kind %s: recovered objects are of kind carved; leave one out", filter.kind);
    if (filter.grade && !is_grade(filter.grade))
        return why_set(why, -EINVAL, "--grade %s: it is validated, complete, partial or fragment", filter.grade);
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
