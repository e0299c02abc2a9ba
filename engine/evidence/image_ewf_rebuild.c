/*
 * image_ewf_rebuild: the table of chunks that an E01 has lost.
 *
 * A segment's table comes behind its chunks. Where a copy was cut off, or a disk gave out, hundreds of
 * megabytes may stand there without one. But chunks follow each other without a gap, and each says where it
 * ends and whether it is whole: a deflated one by the end of its stream and the Adler-32 behind it (RFC
 * 1950), another by the Adler-32 behind its chunk size of bytes. So they are counted off from the beginning
 * of the sectors section, up to the first that is not whole.
 */
#include "engine/evidence/image_private.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW = 4 * 1024 * 1024, CHUNK_MAX = 16 * 1024 * 1024, ENTRIES_STEP = 4096 };

#define DEFLATED UINT32_C(0x80000000)

struct search {
    int fd;
    uint64_t at, end; /* of what is still to be looked at */
    uint64_t from;    /* the window: bytes [from, from + size) of the file */
    size_t size, room;
    uint8_t *window, *out;
    uint8_t *entries; /* 4 bytes each, as in a table */
    size_t count, entry_room;
};

/* The bytes at `at`, as many as there are up to `want`. */
static const uint8_t *look(struct search *search, size_t want, size_t *ret_size)
{
    uint64_t left = search->end - search->at;
    if (want > left)
        want = (size_t)left;
    if (search->at < search->from || search->at + want > search->from + search->size) {
        search->from = search->at;
        search->size = left < search->room ? (size_t)left : search->room;
        while (search->size > 0 && !image_pread(search->fd, search->from, search->window, search->size))
            search->size =
                search->size > want ? want : search->size / 2; /* up to where the file can be read */
    }
    uint64_t skip = search->at - search->from;
    *ret_size = skip < search->size ? search->size - (size_t)skip : 0;
    return search->window + skip;
}

/* The two bytes before a stream (RFC 1950, 2.2). */
static bool begins_deflated(const uint8_t *data, size_t there)
{
    return there >= 2 && (data[0] & 0x0f) == 8 && (data[0] << 8 | data[1]) % 31 == 0;
}

static int add_entry(struct search *search, uint32_t entry)
{
    if (search->count == search->entry_room) {
        uint8_t *more = realloc(search->entries, 4 * (search->entry_room + ENTRIES_STEP));
        if (more == NULL)
            return -ENOMEM;
        search->entries = more;
        search->entry_room += ENTRIES_STEP;
    }
    for (size_t i = 0; i < 4; i++)
        search->entries[4 * search->count + i] = (uint8_t)(entry >> 8 * i);
    search->count++;
    return 0;
}

/* Counts chunks off until `media` bytes of the medium are there, or one is not whole. */
static int count_off(struct search *search, uint64_t begin, uint64_t media, uint32_t chunk_size)
{
    while (media > 0 && search->at < search->end && search->at - begin < DEFLATED) {
        size_t size = media < chunk_size ? (size_t)media : chunk_size, there;
        const uint8_t *data =
            look(search, chunk_size + chunk_size / 8 + 1024, &there); /* deflate adds less */
        size_t stored = begins_deflated(data, there) ? ewf_unpack(true, data, there, search->out, size) : 0;
        uint32_t flag = stored > 0 ? DEFLATED : 0;
        if (stored == 0)
            stored = ewf_unpack(false, data, there, search->out, size);
        if (stored == 0)
            return 0;
        int status = add_entry(search, (uint32_t)(search->at - begin) | flag);
        if (status < 0)
            return status;
        search->at += stored;
        media -= size;
    }
    return 0;
}

int ewf_rebuild(struct image *image, struct ewf_set *set, uint64_t media_size, uint32_t chunk_size)
{
    uint64_t done = u64_mul_saturating(set->chunks, chunk_size);
    if (set->irregular || set->loose_end <= set->loose || done >= media_size || chunk_size > CHUNK_MAX)
        return 0;
    struct search search = {.at = set->loose, .end = set->loose_end, .room = WINDOW + 2 * (size_t)chunk_size};
    search.fd = image_open_file(set->paths[set->count - 1], NULL);
    if (search.fd < 0)
        return 0;
    search.window = malloc(search.room);
    search.out = malloc(chunk_size);
    int status = search.window == NULL || search.out == NULL
                     ? -ENOMEM
                     : count_off(&search, set->loose, media_size - done, chunk_size);
    if (status == 0 && search.count > 0)
        status = ewf_set_add_rebuilt(set, search.entries, search.count, search.at);
    if (status == 0 && search.count > 0) {
        image_add_damage(image, "%zu chunks behind the last table were found without one", search.count);
        search.entries = NULL;
    }
    free(search.window);
    free(search.out);
    free(search.entries);
    (void)close(search.fd);
    return status;
}
