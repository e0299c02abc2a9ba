/*
 * bfio: libbfio's handle over a reader.
 */
#include "engine/evidence/layer/bfio.h"

#include "engine/base/buf.h"
#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const struct reader *reader;
    uint64_t position;
    bool open;
};

static struct source *source_of(intptr_t *handle)
{
    return (struct source *)(void *)handle;
}

static int source_free(intptr_t **handle, libbfio_error_t **error)
{
    (void)error;
    free(*handle);
    *handle = NULL;
    return 1;
}

static int source_clone(intptr_t **target, intptr_t *handle, libbfio_error_t **error)
{
    struct source *copy = malloc(sizeof *copy);

    (void)error;
    if (!copy)
        return -1;
    *copy = *source_of(handle);
    *target = (intptr_t *)(void *)copy;
    return 1;
}

static int source_open(intptr_t *handle, int flags, libbfio_error_t **error)
{
    (void)error;
    if (flags & LIBBFIO_ACCESS_FLAG_WRITE)
        return -1;
    source_of(handle)->open = true;
    source_of(handle)->position = 0;
    return 1;
}

static int source_close(intptr_t *handle, libbfio_error_t **error)
{
    (void)error;
    source_of(handle)->open = false;
    return 0;
}

static ssize_t source_read(intptr_t *handle, uint8_t *data, size_t size, libbfio_error_t **error)
{
    struct source *source = source_of(handle);
    uint64_t limit = source->reader->size;
    size_t there = source->position >= limit         ? 0
                   : limit - source->position < size ? (size_t)(limit - source->position)
                                                     : size;

    (void)error;
    if (reader_read(source->reader, source->position, data, there) < 0)
        return -1;
    source->position += there;
    return (ssize_t)there;
}

static ssize_t source_write(intptr_t *handle, const uint8_t *data, size_t size, libbfio_error_t **error)
{
    (void)handle;
    (void)data;
    (void)size;
    (void)error;
    return -1; /* evidence is only ever read */
}

static off64_t source_seek(intptr_t *handle, off64_t offset, int whence, libbfio_error_t **error)
{
    struct source *source = source_of(handle);
    uint64_t from = whence == SEEK_CUR ? source->position : whence == SEEK_END ? source->reader->size : 0;
    int64_t target;

    (void)error;
    if (from > INT64_MAX || __builtin_add_overflow((int64_t)from, offset, &target) || target < 0)
        return -1;
    source->position = (uint64_t)target;
    return target;
}

static int source_exists(intptr_t *handle, libbfio_error_t **error)
{
    (void)handle;
    (void)error;
    return 1;
}

static int source_is_open(intptr_t *handle, libbfio_error_t **error)
{
    (void)error;
    return source_of(handle)->open;
}

static int source_size(intptr_t *handle, size64_t *size, libbfio_error_t **error)
{
    (void)error;
    *size = source_of(handle)->reader->size;
    return 1;
}

libbfio_handle_t *bfio_make(const struct reader *reader, bfio_initialize *initialize)
{
    struct source *source = calloc(1, sizeof *source);
    libbfio_handle_t *handle = NULL;

    if (!source)
        return NULL;
    source->reader = reader;
    if (initialize(&handle, (intptr_t *)(void *)source, source_free, source_clone, source_open, source_close, source_read,
                   source_write, source_seek, source_exists, source_is_open, source_size,
                   LIBBFIO_FLAG_IO_HANDLE_MANAGED, NULL) != 1) {
        free(source);
        return NULL;
    }
    return handle;
}

libbfio_handle_t *bfio_new(const struct reader *reader)
{
    return bfio_make(reader, libbfio_handle_initialize);
}

static libbfio_handle_t *over_memory(uint8_t *data, size_t size)
{
    libbfio_handle_t *handle = NULL;
    libbfio_error_t *error = NULL;

    if (libbfio_memory_range_initialize(&handle, &error) != 1 ||
        libbfio_memory_range_set(handle, data, size, &error) != 1) {
        bfio_forget(&error);
        bfio_free(handle);
        return NULL;
    }
    return handle;
}

void bfio_free(libbfio_handle_t *handle)
{
    if (handle)
        (void)libbfio_handle_free(&handle, NULL);
}

int bfio_fail(struct why *why, int code, const char *what, intptr_t **error)
{
    char words[300] = "";
    struct buf text = {0};

    if (error && *error)
        (void)libbfio_error_sprint(*error, words, sizeof words);
    text_escape(&text, words, strcspn(words, "\r\n"));
    (void)why_set(why, code, "%s%s%s", what, words[0] ? ": " : "", buf_cstr(&text));
    buf_finish(&text);
    bfio_forget(error);
    return code;
}

void bfio_forget(intptr_t **error)
{
    if (error && *error)
        libbfio_error_free(error);
}

void bfio_guid(const uint8_t id[16], char ret[BFIO_GUID_SIZE])
{
    struct bytes bytes;
    uint32_t first;
    uint16_t second, third;

    bytes_init(&bytes, id, 16);
    first = bytes_u32le(&bytes);
    second = bytes_u16le(&bytes);
    third = bytes_u16le(&bytes);
    (void)snprintf(ret, BFIO_GUID_SIZE, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", first, second, third, id[8],
                   id[9], id[10], id[11], id[12], id[13], id[14], id[15]);
}

void bfio_warm(void)
{
    uint8_t byte = 0;
    libbfio_error_t *error = NULL;
    libbfio_handle_t *handle = over_memory(&byte, 1);
    struct why why;

    if (handle && libbfio_handle_open(handle, LIBBFIO_OPEN_WRITE, &error) != 1)
        (void)bfio_fail(&why, -EIO, "", &error); /* the first error's text */
    bfio_forget(&error);
    bfio_free(handle);
}
