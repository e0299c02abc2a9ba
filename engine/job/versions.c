/*
 * versions: what the worker is linked with, for `kvali --version`, the ledger and the report.
 */
#include "engine/job/worker.h"

#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/evidence/expand.h"
#include "engine/scan/filetype.h"

#include "plugins/yara/yara_version.h"

#include <string.h>

/* "libtsk 4.11.1" as "libtsk": "4.11.1". */
static void add(struct json *json, const char *words)
{
    char name[32];
    const char *space = strchr(words, ' ');
    size_t size = space ? (size_t)(space - words) : strlen(words);
    if (size >= sizeof name)
        size = sizeof name - 1;
    memcpy(name, words, size);
    name[size] = 0;
    json_text(json, name, space ? space + 1 : "");
}

void worker_versions(struct buf *buf)
{
    struct json json;
    json_init(&json, buf);
    json_object_open(&json, NULL);
    add(&json, expand_version_tsk());
    add(&json, image_version_ewf());
    add(&json, yara_plugin_version());
    add(&json, filetype_version());
    add(&json, hash_version_crypto());
    add(&json, hash_version_xxhash());
    json_object_close(&json);
}
