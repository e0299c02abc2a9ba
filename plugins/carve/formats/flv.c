/*
 * flv: Flash video [Adobe, Video File Format Specification 10.1, annex E]. A head, and tags of which each is
 * followed by its size; the object ends behind the last tag for which that holds. Validated: the script tag
 * onMetaData tells the file's size, and that is where the tags end. Without it nothing names the end:
 * complete.
 */
#include "plugins/carve/format.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { HEAD = 9, TAG_HEAD = 11, SOUND = 8, VIDEO = 9, SCRIPT = 18 };

struct flv {
    struct reader *reader;
    uint64_t at, tags, media;
    uint64_t file_size; /* as onMetaData has it; 0: not there */
    double seconds;     /* so too */
    uint32_t last_time; /* ms, the largest */
    bool cut;           /* a tag begins behind the last whole one, and the data ends in it */
};

/* A number of onMetaData, by its name; 0: not there. */
static double number_named(struct flv *flv, uint64_t begin, uint64_t end, const char *key)
{
    uint8_t name[40];
    size_t size = strlen(key);
    uint64_t at, bits;
    double value;

    name[0] = 0;
    name[1] = (uint8_t)size;
    memcpy(name + 2, key, size);
    name[2 + size] = 0; /* the type: number */
    at = reader_find(flv->reader, begin, end, name, size + 3);
    if (at == UINT64_MAX || !reader_be64(flv->reader, at + size + 3, &bits))
        return 0;
    memcpy(&value, &bits, sizeof value);
    return value >= 0 && value < 1e15 ? value : 0;
}

static void take_script(struct flv *flv, uint64_t begin, uint64_t end)
{
    if (!reader_is(flv->reader, begin, "\x02\0\x0aonMetaData", 13))
        return;
    flv->file_size = (uint64_t)number_named(flv, begin, end, "filesize");
    flv->seconds = number_named(flv, begin, end, "duration");
}

/* The tag at `at`; false: none, or not whole. */
static bool tag(struct flv *flv)
{
    const uint8_t *p = reader_at(flv->reader, flv->at, TAG_HEAD);
    uint32_t size, time, behind;
    unsigned type;

    if (p == NULL || (p[0] != SOUND && p[0] != VIDEO && p[0] != SCRIPT) || p[8] != 0 || p[9] != 0 ||
        p[10] != 0)
        return false;
    type = p[0];
    size = (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    time = (uint32_t)p[7] << 24 | (uint32_t)p[4] << 16 | (uint32_t)p[5] << 8 | p[6];
    if (!u64_range_fits(flv->at, (uint64_t)TAG_HEAD + size + 4, reader_size(flv->reader))) {
        flv->cut = true;
        return false;
    }
    if (!reader_be32(flv->reader, flv->at + TAG_HEAD + size, &behind) || behind != size + TAG_HEAD)
        return false;
    if (type == SCRIPT && flv->file_size == 0)
        take_script(flv, flv->at + TAG_HEAD, flv->at + TAG_HEAD + size);
    flv->media += type != SCRIPT;
    flv->last_time = time > flv->last_time && time < 0x80000000 ? time : flv->last_time;
    flv->at += (uint64_t)TAG_HEAD + size + 4;
    flv->tags++;
    return true;
}

static enum carve_grade finish(struct flv *flv, struct carved *ret)
{
    /* A file that was cut lacks seconds; rounding and a last frame's length lack less. */
    bool late = flv->seconds * 1000 > (double)flv->last_time * 1.05 + 5000;

    if (flv->media > 0 && flv->file_size == flv->at)
        return carved_whole(ret, CARVE_VALIDATED, flv->at);
    if (flv->media > 0 && flv->file_size <= flv->at && !flv->cut && !late)
        return carved_whole(ret, CARVE_COMPLETE, flv->at);
    carved_partial(ret, flv->at, "the tags behind number %llu: cut, or other data lies there",
                   (unsigned long long)flv->tags);
    return ret->grade = flv->media > 0 ? CARVE_PARTIAL : CARVE_FRAGMENT;
}

static enum carve_grade examine_flv(struct reader *reader, struct carved *ret)
{
    struct flv flv = {.reader = reader, .at = HEAD + 4};
    const uint8_t *p = reader_at(reader, 0, HEAD + 4);

    if (p == NULL || memcmp(p, "FLV\1", 4) != 0 || (p[4] & 0xfa) != 0 ||
        memcmp(p + 5, "\0\0\0\x09\0\0\0\0", 8) != 0)
        return CARVE_NONE;
    while (tag(&flv))
        ;
    if (flv.tags == 0)
        return CARVE_NONE;
    return finish(&flv, ret);
}

static const struct carve_format flv_format = {"flv", examine_flv};
const struct carve_format *const carve_flv[] = {&flv_format, NULL};
