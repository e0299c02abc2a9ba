/*
 * sevenzip: what the header of a 7z archive says of its packed data; shared by sevenzip.c, which follows the
 * archive, and sevenzip_data.c, which reads the header and unpacks.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_SEVENZIP_H
#define KVALI_PLUGINS_CARVE_FORMATS_SEVENZIP_H

#include "plugins/carve/reader.h"

#include "engine/base/bytes.h"

enum { SEVENZIP_CODERS = 4, SEVENZIP_PROPERTIES = 8 };

struct sevenzip_coder {
    uint64_t method;
    uint8_t properties[SEVENZIP_PROPERTIES];
    size_t property_size;
};

/* Packed data that is unpacked in one go, by coders. Of a simple folder they are in order: what the
 * last one makes of the packed bytes goes to the one before, and so on. */
struct sevenzip_folder {
    struct sevenzip_coder coders[SEVENZIP_CODERS];
    unsigned coder_count, pack_streams, out_streams;
    unsigned main_out;                /* the stream that no coder reads */
    bool simple;                      /* one chain from one packed stream to one unpacked */
    uint64_t packed_at, packed, size; /* offset in the object */
    bool has_crc;
    uint32_t crc;
    uint64_t files; /* unpacked streams in it */
};

struct sevenzip_stream {
    uint64_t size;
    uint32_t crc;
    bool has_crc;
};

struct sevenzip {
    struct sevenzip_folder *folders;
    size_t folder_count;
    struct sevenzip_stream *streams; /* of all folders, in order */
    size_t stream_count;
};

/* Reads "StreamsInfo". False: it is not well-formed, or there was no memory; `ret` is to be finished in any
 * case. */
bool sevenzip_streams(struct bytes *bytes, struct sevenzip *ret);
void sevenzip_finish(struct sevenzip *sevenzip);

enum sevenzip_data { SEVENZIP_WRONG, SEVENZIP_UNCHECKED, SEVENZIP_RIGHT };
/* Unpacks the folder with that number and compares all CRCs; with `out` (room for the folder's size) keeps
 * what comes out. *ret_at: how far it came in the object. */
enum sevenzip_data sevenzip_unpack(struct reader *reader, const struct sevenzip *sevenzip, size_t folder,
                                   uint8_t *out, uint64_t *ret_at);

#endif
