/* report_out: see report_out.h. */
#include "cases/report/report_out.h"

#include "engine/base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { ENOUGH = 256 * 1024 };

int report_out_init(struct report_out *out, int fd)
{
    *out = (struct report_out){.fd = fd, .hash = hash_sha256_new()};
    return out->hash ? 0 : -ENOMEM;
}

void report_out_finish(struct report_out *out)
{
    buf_finish(&out->buf);
    hash_sha256_free(out->hash);
    *out = (struct report_out){.fd = -1};
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

static void empty(struct report_out *out)
{
    if (out->fd < 0 || out->error)
        return;
    out->error = buf_failed(&out->buf) ? -ENOMEM : write_all(out->fd, out->buf.data, out->buf.size);
    if (out->error)
        return;
    if (out->buf.size)
        hash_sha256_update(out->hash, out->buf.data, out->buf.size);
    out->size += out->buf.size;
    buf_clear(&out->buf);
}

int report_out_row(struct report_out *out)
{
    if (out->buf.size >= ENOUGH || buf_failed(&out->buf))
        empty(out);
    return out->error;
}

int report_out_end(struct report_out *out)
{
    empty(out);
    return out->error ? out->error : buf_failed(&out->buf) ? -ENOMEM : 0;
}

void report_out_sha256(struct report_out *out, char ret[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    struct buf hex = {0};
    hash_sha256_final(out->hash, digest);
    text_hex(&hex, digest, sizeof digest);
    memcpy(ret, buf_cstr(&hex), SHA256_HEX_SIZE);
    buf_finish(&hex);
}
