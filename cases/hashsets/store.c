/* store: see store.h. */
#include "cases/hashsets/store.h"

#include "engine/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void store_folder(const char *wanted, struct buf *ret)
{
    const char *own = getenv("KVALI_HASHSETS"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (wanted != NULL && wanted[0] != '\0')
        buf_text(ret, wanted);
    else if (own != NULL && own[0] != '\0')
        buf_text(ret, own);
    else if (data != NULL && data[0] == '/')
        buf_printf(ret, "%s/kvali/hashsets", data);
    else if (home != NULL && home[0] == '/')
        buf_printf(ret, "%s/.local/share/kvali/hashsets", home);
    else
        buf_text(ret, "/var/lib/kvali/hashsets");
}

bool store_name_is_valid(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strlen(name) < 64 &&
           strpbrk(name, "/:\\ \t'\"*?[]$`") == NULL && text_is_escaped(name);
}

static int make_folders(const char *folder, struct why *why)
{
    char *path = strdup(folder);
    int rc = path != NULL ? 0 : -ENOMEM;

    for (char *slash = path; rc == 0 && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST && errno != EROFS && (slash == NULL || errno != EACCES))
            rc = -errno;
        if (slash != NULL)
            *slash = '/';
    }
    free(path);
    return rc < 0 ? why_set(why, rc, "%s: %s", folder, strerror(-rc)) : 0;
}

int store_path(const char *folder, const char *name, bool made, struct buf *ret, struct why *why)
{
    if (!store_name_is_valid(name))
        return why_set(
            why, -EINVAL,
            "this is no name for a hash set: letters, digits, '-', '_' and '.' only, at most 63 bytes");
    buf_printf(ret, "%s/%s%s", folder, name, STORE_SUFFIX);
    return made ? make_folders(folder, why) : 0;
}

static bool has_suffix(const char *name)
{
    size_t size = strlen(name), suffix = strlen(STORE_SUFFIX);

    return size > suffix && strcmp(name + size - suffix, STORE_SUFFIX) == 0;
}

int store_find(const char *folder, const char *named, struct buf *ret, struct why *why)
{
    struct buf path = {0};
    int rc = 0;

    if (strchr(named, '/') != NULL || (has_suffix(named) && access(named, F_OK) == 0))
        buf_text(&path, named);
    else
        rc = store_path(folder, named, false, &path, why);
    if (rc == 0 && access(buf_cstr(&path), R_OK) < 0)
        rc = why_set(why, -errno, "%s: %s (`kvali hashset list` shows the sets in %s)", buf_cstr(&path),
                     strerror(errno), folder);
    if (rc == 0)
        buf_text(ret, buf_cstr(&path));
    buf_finish(&path);
    return rc;
}

static int keep_sets(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && has_suffix(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int store_each(const char *folder, int (*each)(void *context, const char *path), void *context,
               struct why *why)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, keep_sets, by_name), rc = 0;

    if (count < 0)
        return errno == ENOENT ? 0 : why_set(why, -errno, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        struct buf path = {0};

        buf_printf(&path, "%s/%s", folder, entries[i]->d_name);
        if (rc == 0)
            rc = each(context, buf_cstr(&path));
        buf_finish(&path);
        free(entries[i]);
    }
    free(entries);
    return rc;
}
