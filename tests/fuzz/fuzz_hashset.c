/*
 * fuzz_hashset: whatever a set's file holds, opening it, looking up, reading entries and verifying keep their
 * bounds. The input is taken as it is, and once more behind a header whose checksums fit, or nothing would
 * come past them.
 */
#include "engine/hashset/format.h"

#include "engine/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every byte of it is there. */
static int touch(void *context, const struct hashset_similar_hash *hash)
{
    (void)context;
    return memchr(hash->hash, '\n', hash->hash_size) != NULL ||
                   memchr(hash->name, '\n', hash->name_size) != NULL
               ? -1
               : 0;
}

static void use(const uint8_t *data, size_t size)
{
    int fd = memfd_create("set", MFD_CLOEXEC);
    struct hashset *set = NULL;
    struct hashset_entry entry;
    uint64_t first, damaged, line;
    struct why why;
    char path[32];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (hashset_open(path, &set, &why) == 0) {
        for (unsigned a = 0; a < HASHSET_ALGORITHMS; a++) {
            for (size_t at = 0; at + HASHSET_KEY_MAX <= size; at += 61)
                hashset_find(set, (enum hashset_algorithm)a, data + at, &first);
            for (uint64_t i = 0; i < 64 && hashset_entry(set, (enum hashset_algorithm)a, i, &entry); i++)
                hashset_row_source(set, entry.row, &line);
        }
        for (unsigned k = 0; k < HASHSET_SIMILARS; k++)
            hashset_similar_each(set, (enum hashset_similar)k, touch, NULL);
        hashset_verify(set, NULL, NULL, &damaged, &why);
    }
    hashset_close(set);
    close(fd);
}

/* The input as fields of the header and as the parts behind it, with all checksums right. */
static void dress(const uint8_t *data, size_t size)
{
    size_t body = size > HASHSET_HEADER ? size - HASHSET_HEADER : 0,
           chunks = (body + HASHSET_CHUNK - 1) / HASHSET_CHUNK;
    size_t whole = HASHSET_HEADER + body + chunks * SHA256_SIZE;
    uint8_t *file = calloc(1, whole + SHA256_SIZE);
    struct hashset_layout layout = {.kind = HASHSET_KNOWN, .entry_extra = 4, .file_size = whole};
    char hex[SHA256_HEX_SIZE];

    if (file == NULL || size < HASHSET_HEADER || size > 1 << 20) {
        free(file);
        return;
    }
    memcpy(file + HASHSET_HEADER, data + HASHSET_HEADER, body);
    for (size_t i = 0; i < chunks; i++) {
        size_t at = HASHSET_HEADER + i * HASHSET_CHUNK, left = HASHSET_HEADER + body - at;

        hash_sha256_hex(file + at, left < HASHSET_CHUNK ? left : HASHSET_CHUNK, hex);
        text_unhex(hex, file + HASHSET_HEADER + body + i * SHA256_SIZE, SHA256_SIZE);
    }
    memcpy(&layout.rows, data, 8);
    memcpy(&layout.tables, data + 256, sizeof layout.tables);
    memcpy(&layout.similar, data + 448, sizeof layout.similar);
    memcpy(layout.name, "x", 2);
    layout.entry_extra = data[24] & 1 ? 8 : 4;
    layout.labels = data[25];
    layout.sources = data[26] & 3;
    layout.label_part = (struct hashset_part){HASHSET_HEADER + 64U * data[27], 8U * data[28]};
    layout.source_part = (struct hashset_part){HASHSET_HEADER + 64U * data[29], data[30]};
    layout.chunk_part = (struct hashset_part){HASHSET_HEADER + body, chunks * SHA256_SIZE};
    hash_sha256_hex(file + HASHSET_HEADER + body, chunks * SHA256_SIZE, hex);
    text_unhex(hex, layout.chunks_sha256, SHA256_SIZE);
    layout_encode(&layout, file);
    use(file, whole);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (hash_setup() < 0)
        abort();
    use(data, size);
    dress(data, size);
    return 0;
}
