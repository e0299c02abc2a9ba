/*
 * replay: the main of a fuzz harness where there is no libFuzzer. It runs the harness over an empty input and
 * over each file named on the command line (the seeds, or an input that once crashed), and so is a test
 * everywhere.
 *
 * Each input is in memory of exactly its size, so that a sanitizer sees the first byte read behind it.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int give_up(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return 1;
}

static int replay_stream(const char *path, FILE *file)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    uint8_t *data;
    int failed;

    if (size < 0 || fseek(file, 0, SEEK_SET) != 0)
        return give_up(path, strerror(errno));
    data = malloc((size_t)size);
    if (data == NULL && size > 0)
        return give_up(path, "no memory");
    failed = fread(data, 1, (size_t)size, file) != (size_t)size;
    if (failed)
        give_up(path, "cannot be read whole");
    else
        LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return failed;
}

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    int failed;

    if (file == NULL)
        return give_up(path, strerror(errno));
    /* Before the run, so that the last line names the input that crashed. */
    fprintf(stderr, "%s\n", path);
    failed = replay_stream(path, file);
    fclose(file);
    return failed;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    int failed = 0;

    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    return failed;
}
