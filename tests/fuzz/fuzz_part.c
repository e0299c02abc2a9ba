/*
 * fuzz_part: whatever a part's file holds: its two lines are read within their bounds, and what is unpacked is what they
 * say. The input is taken as it is; once more as what stands behind a right first line; and as a database behind right lines.
 */
#include "cases/part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/kvali-fuzz-XXXXXX", path[64], unpacked[64];

static void leave(void)
{
    char parts[64];
    snprintf(parts, sizeof parts, "%s/parts", folder);
    unlink(path);
    unlink(unpacked);
    rmdir(parts);
    rmdir(folder);
}

static void must(bool good)
{
    if (!good)
        abort();
}

static void begin(void)
{
    char parts[64];
    must(hash_setup() == 0 && mkdtemp(folder) != NULL && atexit(leave) == 0);
    snprintf(parts, sizeof parts, "%s/parts", folder);
    snprintf(path, sizeof path, "%s/parts/000007.part", folder);
    snprintf(unpacked, sizeof unpacked, "%s/unpacked", folder);
    must(mkdir(parts, 0700) == 0);
}

static int use(const char *head, const uint8_t *data, size_t size)
{
    struct part_header header;
    struct why why = {{0}};
    char sha256[SHA256_HEX_SIZE];
    struct stat st;
    FILE *file = fopen(path, "we");
    must(file && fputs(head, file) >= 0 && fwrite(data, 1, size, file) == size && fclose(file) == 0);
    (void)part_is_there(folder, "plan", 7);
    int code = part_read(path, &header, &why);
    must(code == 0 || (why.text[0] && (code == -EBADMSG || code == -EPROTO)));
    if (code)
        return code;
    must(header.size <= size && memchr(header.node, 0, sizeof header.node) && memchr(header.kvali, 0, sizeof header.kvali));
    code = part_unpack(path, unpacked, &header, &why);
    must(code == 0 || code == -EBADMSG);
    if (code == 0) {
        must(stat(unpacked, &st) == 0 && (uint64_t)st.st_size == header.size && hash_sha256_file(unpacked, sha256) == 0);
        must(strcmp(sha256, header.sha256) == 0);
    }
    unlink(unpacked);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    char head[1024], sha256[SHA256_HEX_SIZE];
    if (!begun)
        begin();
    begun = true;
    (void)use("", data, size);
    (void)use("kvali-part 1\n", data, size);
    hash_sha256_hex(data, size, sha256);
    snprintf(head, sizeof head,
             "kvali-part 1\n{\"plan\":\"plan\",\"part\":7,\"sha256\":\"%s\",\"size\":%zu,\"configuration_sha256\":\"c\","
             "\"kvali\":\"0\",\"node\":\"n\",\"actor\":\"a\",\"finished\":\"2026\"}\n",
             sha256, size);
    must(use(head, data, size) == 0 && part_is_there(folder, "plan", 7) && !part_is_there(folder, "other", 7));
    return 0;
}
