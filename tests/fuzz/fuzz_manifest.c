/*
 * fuzz_manifest: whatever a batch's manifest holds, as TOML and as CSV: reading it keeps its bounds, and what it gives is what
 * a queue may have: a case, evidence with absolute paths, lists whose members end with an LF, words that fit a command line.
 */
#include "cases/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/kvali-fuzz-XXXXXX";

static void leave(void)
{
    char path[64];
    static const char *const names[] = {"m.toml", "m.csv"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void must(bool good)
{
    if (!good)
        abort();
}

/* Every member ends with an LF, and none is empty. */
static size_t members(const char *list)
{
    size_t count = 0;
    while (*list) {
        const char *end = strchr(list, '\n');
        must(end && end > list);
        list = end + 1;
        count++;
    }
    return count;
}

static int look(void *context, struct batch_row *row)
{
    size_t *count = context;
    const struct batch_task *task = &row->task;
    must(task->folder && task->folder[0] == '/' && !strpbrk(task->folder, "\r\n"));
    must(task->evidence[0] == '/' && !strstr(task->evidence, "\r"));
    for (const char *lf = task->evidence; (lf = strchr(lf, '\n')) && lf[1]; lf++)
        must(lf[1] == '/');
    must(!strpbrk(task->exhibit, "\r\n"));
    must(members(task->evidence) + members(task->arguments) + 2 * members(task->formats) <= 400);
    must(task->priority >= -1000000 && task->priority <= 1000000);
    ++*count;
    return 0;
}

static void use(const char *name, const uint8_t *data, size_t size)
{
    char path[64];
    struct why why = {{0}};
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    must(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
    int code = batch_manifest_read(path, look, &count, &why);
    must(code == 0 ? count > 0 : why.text[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    if (!made) {
        must(mkdtemp(folder) != NULL && atexit(leave) == 0);
        made = true;
    }
    use("m.toml", data, size);
    use("m.csv", data, size);
    return 0;
}
