/*
 * part: a run that is one part of a plan (cases/plan.h), on whatever host: it may look only with what the
 * plan was made with, because equal versions, rules and settings are what makes equal findings.
 */
#include "engine/job/supervisor.h"

#include "engine/base/version.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool part(const struct supervisor *s)
{
    return s->options->configuration != NULL;
}

int part_configuration(struct supervisor *s, char **ret_text)
{
    struct buf text = {0};
    char sha256[SHA256_HEX_SIZE];
    settings_sha256(s->options->settings, sha256);
    buf_printf(&text, "kvali %s %s\n", kvali_version(), kvali_commit());
    buf_printf(&text, "settings %s\n", sha256);
    if (hash_sha256_file(s->options->worker_program, sha256) == 0)
        buf_printf(&text, "worker %s\n", sha256);
    buf_printf(&text, "libraries %s\n", s->versions ? s->versions : "");
    for (size_t i = 0; i < s->plugin_count; i++)
        buf_printf(&text, "plugin %s %u\n", s->plugins[i].name, s->plugins[i].version);
    buf_text(&text, buf_cstr(&s->loaded_lines));
    char *all = buf_failed(&s->loaded_lines) ? NULL : buf_steal(&text);
    buf_finish(&text);
    if (!all)
        return supervisor_fail(s, -ENOMEM, "out of memory");
    *ret_text = all;
    return 0;
}

/* The length of the lines that both have at their beginnings. */
static size_t common_lines(const char *one, const char *other)
{
    size_t same = 0;
    for (size_t i = 0; one[i] && one[i] == other[i]; i++)
        if (one[i] == '\n')
            same = i + 1;
    return same;
}

int part_check(struct supervisor *s)
{
    const char *planned = s->options->configuration;
    char *here = NULL;
    int code = part_configuration(s, &here);
    if (code == 0 && strcmp(here, planned) != 0) {
        size_t same = common_lines(here, planned);
        code = supervisor_fail(
            s, -ENOEXEC, "this host is not set up as the plan: planned \"%.*s\", here \"%.*s\"",
            (int)strcspn(planned + same, "\n"), planned + same, (int)strcspn(here + same, "\n"), here + same);
    }
    free(here);
    return code;
}
