/*
 * ole2: a Compound File as the examiner has read it: sectors, the chains that the FAT makes of them, and the
 * streams in those. Shared by ole2.c, which checks the structure, and ole2_kind.c, which tells what it is.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_OLE2_H
#define KVALI_PLUGINS_CARVE_FORMATS_OLE2_H

#include "plugins/carve/format.h"

enum { OLE2_NAME = 32 };

struct ole2_entry {
    char name[OLE2_NAME + 1]; /* what is not ASCII is '?' */
    uint8_t type;             /* 0 unused, 1 storage, 2 stream, 5 root */
    uint8_t class_id[16];
    uint32_t start;
    uint64_t size;
};

struct ole2 {
    struct reader *reader;
    unsigned shift; /* of the sector size */
    uint32_t *fat;  /* of each sector, the next one of its chain */
    uint32_t fat_count;
    uint8_t *taken; /* of each sector: a chain has it */
    uint32_t *mini_fat;
    uint32_t mini_count;
    struct ole2_entry *entries; /* the first is the root */
    size_t entry_count;
    uint64_t proven; /* behind the last place where something was checked that can only stand there */
    uint64_t failed; /* the first place where it was not so; UINT64_MAX: none */
};

/* The bytes of a stream; its sectors in order. */
struct ole2_stream {
    struct ole2 *ole2;
    uint32_t *sectors;
    uint32_t count;
    unsigned shift; /* of its sectors */
    uint64_t size;
    struct ole2_stream *holds; /* of mini sectors: the stream that they lie in */
};

/* The chain of sectors from `start`; `taken` is set for each of them. False: it is broken, a loop, or crosses
 * another. The stream is to be closed in any case. */
bool ole2_chain(struct ole2 *ole2, uint32_t start, struct ole2_stream *ret);
/* The stream of an entry, for reading; `mini` is the root's. Does not look at `taken`. */
bool ole2_open(struct ole2 *ole2, const struct ole2_entry *entry, struct ole2_stream *mini,
               struct ole2_stream *ret);
void ole2_close(struct ole2_stream *stream);
/* Reads `size` bytes at `offset`; false when they are not there. */
bool ole2_read(struct ole2_stream *stream, uint64_t offset, void *data, size_t size);
/* What is at `offset` of the stream is what only can be there, or is not. */
void ole2_prove(struct ole2_stream *stream, uint64_t offset, bool right);

/* Extension, format and title; contents that can be followed go to ole2_prove. */
void ole2_kind(struct ole2 *ole2, struct ole2_stream *mini, struct carved *ret);

#endif
