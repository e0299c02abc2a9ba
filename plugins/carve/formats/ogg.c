/*
 * ogg: the Ogg container [RFC 3533] with Vorbis, Opus, Speex, Theora or FLAC. Pages with a CRC-32 each; the
 * streams that begin together (BOS) go on with rising page numbers to their ends (EOS). Another group may
 * follow at once (a chained file); one that begins where a file may begin, at a multiple of 512 bytes, is
 * taken for the next object instead.
 *
 * Validated: every page's CRC is right, no page is missing, every stream has come to its end.
 */
#include "plugins/carve/formats/crc.h"
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { PAGE_HEAD = 27, PAGE_MAX = 27 + 255 + 255 * 255, STREAMS_MAX = 16, CONTINUED = 1, BOS = 2, EOS = 4 };

enum codec { OTHER, VORBIS, OPUS, SPEEX, THEORA, FLAC_IN_OGG, SKELETON };

struct stream {
    uint32_t serial, next; /* the page number that must come */
    enum codec codec;
    bool ended, commented;
};

struct page {
    uint64_t offset, head, size; /* head with the table of segments; size with the head */
    unsigned flags;
    uint32_t serial, number;
};

struct ogg {
    struct reader *reader;
    struct carved *ret;
    struct crc crc;
    struct stream streams[STREAMS_MAX];
    size_t count;
    uint64_t at, pages;
    bool seen[SKELETON + 1];
    bool started; /* a page came that begins no stream */
};

/* The page at `offset`, but for its CRC. */
static bool page_at(struct reader *reader, uint64_t offset, struct page *ret)
{
    const uint8_t *p = reader_at(reader, offset, PAGE_HEAD);
    unsigned segments;

    if (p == NULL || memcmp(p, "OggS\0", 5) != 0 || p[5] > 7)
        return false;
    *ret = (struct page){.offset = offset, .flags = p[5]};
    ret->serial = field_le32(p + 14);
    ret->number = field_le32(p + 18);
    segments = p[26];
    ret->head = PAGE_HEAD + segments;
    ret->size = ret->head;
    p = segments > 0 ? reader_at(reader, offset + PAGE_HEAD, segments) : NULL;
    if (segments > 0 && p == NULL)
        return false;
    for (unsigned i = 0; i < segments; i++)
        ret->size += p[i];
    return u64_range_fits(offset, ret->size, reader_size(reader));
}

static bool crc_holds(struct ogg *ogg, const struct page *page)
{
    static const uint8_t zero[4];
    const uint8_t *p = reader_at(ogg->reader, page->offset, PAGE_HEAD);
    uint32_t state = crc_begin(&ogg->crc, 0), stored;

    if (p == NULL)
        return false;
    stored = field_le32(p + 22);
    state = crc_add(&ogg->crc, state, p, 22);
    state = crc_add(&ogg->crc, state, zero, 4);
    return crc_reader(&ogg->crc, ogg->reader, page->offset + 26, page->size - 26, &state) &&
           crc_value(&ogg->crc, state) == stored;
}

static enum codec codec_of(struct reader *reader, const struct page *page)
{
    static const struct {
        const char *magic;
        size_t size;
        enum codec codec;
    } known[] = {
        {"\x01vorbis", 7, VORBIS},
        {"OpusHead", 8, OPUS},
        {"Speex   ", 8, SPEEX},
        {"\x80theora", 7, THEORA},
        {"\x7f"
         "FLAC",
         5, FLAC_IN_OGG},
        {"fishead", 7, SKELETON},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (reader_is(reader, page->offset + page->head, known[i].magic, known[i].size))
            return known[i].codec;
    }
    return OTHER;
}

/* TITLE= among the comments, which begin a stream's second page; as far as that page has them. */
static void take_comments(struct ogg *ogg, const struct page *page, enum codec codec)
{
    static const uint8_t before[] = {
        [VORBIS] = 7, [OPUS] = 8, [THEORA] = 7, [FLAC_IN_OGG] = 4, [SKELETON] = 0};
    uint64_t at = page->offset + page->head + before[codec], end = page->offset + page->size;
    uint32_t size, count;

    if (!reader_le32(ogg->reader, at, &size) || size > end ||
        !reader_le32(ogg->reader, at + 4 + size, &count))
        return;
    at += 8 + (uint64_t)size;
    for (uint32_t i = 0; i < count && at + 4 <= end; i++, at += 4 + (uint64_t)size) {
        const uint8_t *p;

        if (!reader_le32(ogg->reader, at, &size) || size > end - at)
            return;
        p = size > 6 && size < 2048 ? reader_at(ogg->reader, at + 4, size) : NULL;
        if (p != NULL && strncasecmp((const char *)p, "TITLE=", 6) == 0) {
            carved_title(ogg->ret, p + 6, size - 6, "UTF-8");
            return;
        }
    }
}

static struct stream *find(struct ogg *ogg, uint32_t serial)
{
    for (size_t i = 0; i < ogg->count; i++) {
        if (ogg->streams[i].serial == serial)
            return &ogg->streams[i];
    }
    return NULL;
}

static bool all_ended(const struct ogg *ogg)
{
    for (size_t i = 0; i < ogg->count; i++) {
        if (!ogg->streams[i].ended)
            return false;
    }
    return true;
}

/* A page that begins a stream; false: not here. */
static bool begin_stream(struct ogg *ogg, const struct page *page)
{
    struct stream *stream;

    if (ogg->started) { /* a chained group begins */
        if (!all_ended(ogg) || page->offset % 512 == 0)
            return false;
        ogg->count = 0;
        ogg->started = false;
    }
    if (ogg->count == STREAMS_MAX || find(ogg, page->serial) != NULL)
        return false;
    stream = &ogg->streams[ogg->count++];
    *stream = (struct stream){.serial = page->serial, .next = page->number + 1};
    stream->codec = codec_of(ogg->reader, page);
    stream->ended = (page->flags & EOS) != 0;
    ogg->seen[stream->codec] = true;
    return true;
}

static bool continue_stream(struct ogg *ogg, const struct page *page)
{
    struct stream *stream = find(ogg, page->serial);

    if (stream == NULL || stream->ended || page->number != stream->next)
        return false;
    ogg->started = true;
    stream->next++;
    stream->ended = (page->flags & EOS) != 0;
    if (!stream->commented && stream->codec != OTHER && ogg->ret->title[0] == '\0')
        take_comments(ogg, page, stream->codec);
    stream->commented = true;
    return true;
}

static void walk(struct ogg *ogg)
{
    struct page page;

    while (page_at(ogg->reader, ogg->at, &page)) {
        bool begins = (page.flags & BOS) != 0;

        if ((ogg->pages == 0 && !begins) || !crc_holds(ogg, &page))
            return;
        if (!(begins ? begin_stream(ogg, &page) : continue_stream(ogg, &page)))
            return;
        ogg->at += page.size;
        ogg->pages++;
    }
}

static void name_it(struct ogg *ogg)
{
    struct carved *ret = ogg->ret;

    ret->extension = "ogg";
    ret->format = "Ogg stream";
    if (ogg->seen[THEORA])
        ret->extension = "ogv", ret->format = "Ogg movie (Theora)";
    else if (ogg->seen[VORBIS])
        ret->format = "Ogg Vorbis sound";
    else if (ogg->seen[OPUS])
        ret->extension = "opus", ret->format = "Opus sound";
    else if (ogg->seen[SPEEX])
        ret->extension = "spx", ret->format = "Speex sound";
    else if (ogg->seen[FLAC_IN_OGG])
        ret->extension = "oga", ret->format = "FLAC sound in Ogg";
}

static enum carve_grade examine_ogg(struct reader *reader, struct carved *ret)
{
    struct ogg ogg = {.reader = reader, .ret = ret};
    struct page page;

    if (!page_at(reader, 0, &page) || (page.flags & BOS) == 0 || (page.flags & CONTINUED) != 0)
        return CARVE_NONE;
    crc_init(&ogg.crc, 32, 0x04c11db7);
    walk(&ogg);
    if (ogg.pages == 0)
        return CARVE_NONE;
    name_it(&ogg);
    if (all_ended(&ogg) && ogg.started)
        return carved_whole(ret, CARVE_VALIDATED, ogg.at);
    carved_partial(ret, ogg.at, "the pages behind number %llu: the streams have not come to their end",
                   (unsigned long long)ogg.pages);
    ret->broken = ogg.at + (page_at(reader, ogg.at, &page) ? page.size : PAGE_MAX);
    return ret->grade = ogg.started ? CARVE_PARTIAL : CARVE_FRAGMENT;
}

/* The page over the break must be whole. */
static bool ogg_continues(struct reader *reader, const struct carved *carved, uint64_t split)
{
    struct ogg ogg = {.reader = reader};
    struct page page;

    if (!page_at(reader, carved->good, &page) || page.offset + page.size <= split)
        return false;
    crc_init(&ogg.crc, 32, 0x04c11db7);
    return crc_holds(&ogg, &page);
}

static const struct carve_format ogg_format = {"ogg", examine_ogg, ogg_continues};
const struct carve_format *const carve_ogg[] = {&ogg_format, NULL};
