/*
 * loader: checks a plugin's descriptor, and loads one from a shared object that a lab gave with --plugin.
 */
#include "engine/scan/scanner.h"

#include "engine/scan/record_check.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 64 * 1024 * 1024, EMITS_MAX = 64, SUMMARY_MAX = 200 };

static bool name_is_valid(const char *name)
{
    size_t length;

    if (name == NULL || name[0] < 'a' || name[0] > 'z')
        return false;
    length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
    return name[length] == '\0' && length <= PLUGIN_NAME_MAX;
}

/* Says what is wrong; false, for the caller to return. */
static bool refuse(struct why *why, const char *name, const char *wrong)
{
    why_set(why, -EINVAL, "%s: %s", name, wrong);
    return false;
}

static bool emits_are_valid(const struct record_type *const *emits, const char *name, struct why *why)
{
    for (size_t i = 0; emits[i] != NULL; i++) {
        if (i == EMITS_MAX)
            return refuse(why, name, "it has too many record types");
        if (!record_type_is_valid(emits[i]))
            return refuse(why, name, "one of its record types is not well described");
        for (size_t j = 0; j < i; j++) {
            if (strcmp(emits[i]->name, emits[j]->name) == 0)
                return refuse(why, name, "two of its record types have the same name");
        }
    }
    return true;
}

bool plugin_is_valid(const struct plugin *plugin, struct why *why)
{
    const char *wrong = NULL;

    if (plugin == NULL || plugin->abi != PLUGIN_ABI)
        return refuse(why, "plugin", "it is made for another version of the interface");
    if (!name_is_valid(plugin->name))
        return refuse(why, "plugin", "it has no valid name");
    if (plugin->version == 0)
        wrong = "it has no version";
    else if (plugin->summary == NULL || plugin->summary[0] == '\0' || strlen(plugin->summary) > SUMMARY_MAX ||
             !record_text_is_printable(plugin->summary, strlen(plugin->summary)))
        wrong = "it has no summary of one line";
    else if (plugin->emits == NULL)
        wrong = "it does not say what it emits";
    else if (plugin->start == NULL || plugin->finish == NULL)
        wrong = "start or finish is missing";
    else if (plugin->ahead > PLUGIN_AHEAD_MAX)
        wrong = "it looks too far ahead";
    else if (plugin->ahead > 0 && plugin->feed == NULL)
        wrong = "it looks ahead but cannot be fed";
    else if (plugin->worker_size > MEMORY_MAX || plugin->stream_size > MEMORY_MAX)
        wrong = "it asks for too much memory";
    if (wrong != NULL)
        return refuse(why, plugin->name, wrong);
    return emits_are_valid(plugin->emits, plugin->name, why);
}

/* dlopen's own words, escaped by hand: they hold nothing but a path that the operator gave. */
static int load_failed(struct why *why, const char *path)
{
    const char *error = dlerror();

    return why_set(why, -EINVAL, "%s: %s", path, error != NULL ? error : "cannot be loaded");
}

int plugin_load(const char *path, const struct plugin **ret_plugin, char ret_sha256[SHA256_HEX_SIZE],
                struct why *why)
{
    char before[SHA256_HEX_SIZE], after[SHA256_HEX_SIZE], *real = realpath(path, NULL);
    const struct plugin *plugin;
    struct why inner = {""};
    void *object = NULL;
    int rc = real == NULL ? -errno : hash_sha256_file(real, before);

    if (rc < 0) {
        free(real);
        return why_set(why, rc, "%s: %s", path, strerror(-rc));
    }
    object = dlopen(real, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        rc = load_failed(why, path);
        goto out;
    }
    plugin = dlsym(object, PLUGIN_SYMBOL);
    if (plugin == NULL) {
        rc = load_failed(why, path);
        goto out;
    }
    if (!plugin_is_valid(plugin, &inner)) {
        rc = why_set(why, -EINVAL, "%s: %s", path, inner.text);
        goto out;
    }
    /* What the ledger will name is what was loaded, not what lay there a moment earlier. */
    if (hash_sha256_file(real, after) < 0 || strcmp(before, after) != 0) {
        rc = why_set(why, -EBUSY, "%s: it changed while it was being loaded", path);
        goto out;
    }
    memcpy(ret_sha256, after, SHA256_HEX_SIZE);
    *ret_plugin = plugin;
out:
    /* A loaded plugin stays until the process ends: its records' descriptions live in it. */
    if (rc < 0 && object != NULL)
        dlclose(object);
    free(real);
    return rc;
}
