/* reader: see reader.h. */
#include "plugins/pst/reader.h"

#include <errno.h>
#include <libbfio.h>
#include <stdlib.h>
#include <string.h>

/* An index, a table and a block are read several times over; what runs in circles is not sound. */
#define BUDGET(size) ((UINT64_C(256) << 20) + 16 * (size))
enum { SLOTS = 64, SLOT_SIZE = 16 * 1024 };

struct slot {
    uint64_t offset;
    size_t size;
    bool used;
    uint8_t data[SLOT_SIZE];
};

struct pst_reader {
    struct scan *scan;
    libbfio_handle_t *handle;
    uint64_t size, at, read;
    bool spent;
    struct slot slots[SLOTS];
};

static int pass_handle(intptr_t *handle, libbfio_error_t **error)
{
    (void)handle, (void)error;
    return 1;
}

static int open_handle(intptr_t *handle, int flags, libbfio_error_t **error)
{
    (void)handle, (void)flags, (void)error;
    return 1;
}

static int free_handle(intptr_t **handle, libbfio_error_t **error)
{
    (void)error;
    *handle = NULL;
    return 1;
}

/* libbfio gives close's 0 on to its caller as success. */
static int close_handle(intptr_t *handle, libbfio_error_t **error)
{
    (void)handle, (void)error;
    return 0;
}

static int clone_handle(intptr_t **ret, intptr_t *handle, libbfio_error_t **error)
{
    (void)error;
    *ret = handle;
    return 1;
}

static int size_of_handle(intptr_t *handle, size64_t *ret_size, libbfio_error_t **error)
{
    (void)error;
    *ret_size = ((const struct pst_reader *)(void *)handle)->size;
    return 1;
}

static off64_t seek_handle(intptr_t *handle, off64_t offset, int whence, libbfio_error_t **error)
{
    struct pst_reader *reader = (void *)handle;
    uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? reader->at : reader->size;

    (void)error;
    if (offset < 0 ? base < (uint64_t)-offset : (uint64_t)offset > INT64_MAX - base)
        return -1;
    reader->at = base + (uint64_t)offset;
    return (off64_t)reader->at;
}

/* The slot that the byte at `offset` lies in; NULL: it cannot be read. */
static struct slot *fetch(struct pst_reader *reader, uint64_t offset)
{
    uint64_t start = offset - offset % SLOT_SIZE;
    struct slot *slot = &reader->slots[start / SLOT_SIZE % SLOTS];

    if (slot->used && slot->offset == start)
        return slot;
    slot->used = false;
    if (reader->read > BUDGET(reader->size)) {
        reader->spent = true;
        return NULL;
    }
    if (scan_read(reader->scan, start, slot->data, SLOT_SIZE, &slot->size) < 0)
        return NULL;
    reader->read += slot->size;
    slot->offset = start;
    slot->used = true;
    return slot;
}

static ssize_t read_handle(intptr_t *handle, uint8_t *data, size_t size, libbfio_error_t **error)
{
    struct pst_reader *reader = (void *)handle;
    size_t done = 0;

    (void)error;
    while (done < size && reader->at < reader->size) {
        struct slot *slot = fetch(reader, reader->at);
        size_t from = (size_t)(reader->at % SLOT_SIZE), part;

        if (slot == NULL)
            return -1;
        if (from >= slot->size)
            break;
        part = slot->size - from < size - done ? slot->size - from : size - done;
        memcpy(data + done, slot->data + from, part);
        done += part;
        reader->at += part;
    }
    return (ssize_t)done;
}

int pst_reader_open(struct scan *scan, struct pst_reader **ret_reader)
{
    struct pst_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return -ENOMEM;
    reader->scan = scan;
    reader->size = scan_reach(scan);
    if (libbfio_handle_initialize(&reader->handle, (intptr_t *)(void *)reader, free_handle, clone_handle,
                                  open_handle, close_handle, read_handle, NULL, seek_handle, pass_handle,
                                  pass_handle, size_of_handle, 0, NULL) != 1) {
        free(reader);
        return -ENOMEM;
    }
    *ret_reader = reader;
    return 0;
}

intptr_t *pst_reader_handle(struct pst_reader *reader)
{
    return reader->handle;
}

bool pst_reader_is_spent(const struct pst_reader *reader)
{
    return reader->spent;
}

void pst_reader_close(struct pst_reader *reader)
{
    if (reader != NULL)
        libbfio_handle_free(&reader->handle, NULL);
    free(reader);
}
