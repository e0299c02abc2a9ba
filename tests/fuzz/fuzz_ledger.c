/*
 * fuzz_ledger: whatever stands in a ledger, walking it and asking its records keeps to its bounds. The hashes
 * that chain its lines, which would keep away all that is mutated, are set right.
 */
#include "cases/ledger.h"

#include "engine/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_file(void *context, const char *path, const char *sha256, uint64_t size)
{
    *(uint64_t *)context += strlen(path) + strlen(sha256) + (size > 0);
    return 0;
}

static int take_record(void *context, const struct ledger_record *record)
{
    static const char *const keys[] = {"seq", "type", "path", "files", "run", "by", "sha256", "no such"};
    char value[64];

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (ledger_member(record, keys[i], value, sizeof value) && memchr(value, '\0', sizeof value) == NULL)
            abort();
    }
    (void)ledger_files(record, take_file, context);
    return 0;
}

/* Each line's `prev` becomes the SHA-256 of the line before. */
static void mend(char *text, size_t size)
{
    char hex[SHA256_HEX_SIZE];

    memset(hex, '0', sizeof hex - 1);
    for (size_t at = 0; at < size;) {
        char *line = text + at, *end = memchr(line, '\n', size - at);
        size_t length = end ? (size_t)(end - line) + 1 : size - at;
        char *prev = memmem(line, length, "\"prev\":\"", 8);

        if (prev && (size_t)(line + length - prev) >= 8 + sizeof hex)
            memcpy(prev + 8, hex, sizeof hex - 1);
        hash_sha256_hex(line, length, hex);
        at += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1), path[64], head[SHA256_HEX_SIZE];
    int fd = memfd_create("ledger", MFD_CLOEXEC);
    uint64_t count = 0, sum = 0;
    struct ledger *ledger = NULL;
    struct why why = {{0}};

    if (!copy || fd < 0)
        abort();
    memcpy(copy, data, size);
    mend(copy, size);
    if (write(fd, copy, size) != (ssize_t)size)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    (void)ledger_walk(path, take_record, &sum, &count, head, &why);
    if (ledger_open(path, false, "fuzz@here", &(struct ledger_known){.count = count + 1, .head = ""}, &ledger,
                    &why) == 0)
        ledger_close(ledger);
    free(copy);
    (void)close(fd);
    return 0;
}
