/*
 * batch_watch: manifests that appear in a folder.
 */
#include "engine/cli/batch_run.h"

#include "engine/base/log.h"
#include "engine/cli/cli.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PATH_SIZE = 4096 };

static bool is_manifest(const char *name)
{
    size_t size = strlen(name);
    return name[0] != '.' && ((size > 5 && strcmp(name + size - 5, ".toml") == 0) ||
                              (size > 4 && strcmp(name + size - 4, ".csv") == 0));
}

static int take_manifest(struct batch *batch, const struct batch_wish *wish, const char *path, size_t *taken,
                         size_t *refused)
{
    char sha256[SHA256_HEX_SIZE];
    struct why why = {{0}};
    bool is_new = false;
    size_t added = 0;
    if (hash_sha256_file(path, sha256) || batch_manifest_new(batch, sha256, &is_new) || !is_new)
        return 0; /* one that cannot be read now is looked at again */
    int code = batch_manifest(batch, path, wish->triage, &added, &why);
    if (code)
        log_error("%s", why.text);
    else if (!wish->quiet)
        cli_print("%s: %zu tasks\n", path, added);
    fflush(stdout);
    code = batch_manifest_told(batch, sha256, path, code ? why.text : NULL);
    ++*(why.text[0] ? refused : taken);
    return code;
}

/* A file that was written within the last two seconds may not be whole. */
int batch_watch(struct batch *batch, const struct batch_wish *wish, size_t *ret_taken, size_t *ret_refused)
{
    DIR *folder = opendir(wish->watch);
    struct dirent *entry;
    char path[PATH_SIZE];
    struct stat st;
    int code = 0;
    while (code == 0 && folder && (entry = readdir(folder)))
        if (is_manifest(entry->d_name) &&
            snprintf(path, sizeof path, "%s/%s", wish->watch, entry->d_name) < (int)sizeof path &&
            stat(path, &st) == 0 && S_ISREG(st.st_mode) && llabs((long long)time(NULL) - st.st_mtime) >= 2)
            code = take_manifest(batch, wish, path, ret_taken, ret_refused);
    if (folder)
        closedir(folder);
    return code;
}
