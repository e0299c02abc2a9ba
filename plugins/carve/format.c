/*
 * format: the list of formats, and what examiners share. A family is one line here, one file, and one table
 * of signatures in rules/carve.
 */
#include "plugins/carve/format.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Each family's file has `const struct carve_format *const carve_<family>[]`, ended by NULL. */
/* clang-format off */
#define FAMILIES(F) \
    F(png) \
    F(jpeg) \
    F(gif) \
    F(bmp) \
    F(tiff) \
    F(zip) \
    F(pdf) \
    F(ole2) \
    F(gzip) \
    F(bzip2) \
    F(xz) \
    F(zstd) \
    F(isobmff) \
    F(riff) \
    F(ebml) \
    F(mpegaudio) \
    F(flac) \
    F(ogg) \
    F(amr) \
    F(flv) \
    F(asf) \
    F(aiff) \
    F(mpegps) \
    F(mpegts) \
    F(sqlite) \
    F(sqlitelog) \
    F(registry) \
    F(eventlog) \
    F(ese) \
    F(prefetch) \
    F(lnk) \
    F(pst) \
    F(mail) \
    F(pe) \
    F(mz) \
    F(elf) \
    F(macho) \
    F(dex) \
    F(javaclass) \
    F(pgp) \
    F(openpgp) \
    F(gnupg) \
    F(pem) \
    F(putty) \
    F(keystore) \
    F(webp) \
    F(heif) \
    F(ico) \
    F(psd) \
    F(jp2) \
    F(tar) \
    F(rtf) \
    F(cab) \
    F(rar) \
    F(sevenzip) \
    F(vcard) \
    F(bdb) \
    F(pcap) \
    F(pcapng) \
    F(font) \
    F(keepass) \
    F(luks) \
    F(bitlocker) \
    F(woff) \
    F(minidump) \
    F(thumbcache)
/* clang-format on */

#define DECLARE(family) extern const struct carve_format *const carve_##family[];
#define NAME(family)    carve_##family,
FAMILIES(DECLARE)

static const struct carve_format *const *const families[] = {FAMILIES(NAME) NULL};

const struct carve_format *carve_format_at(size_t index)
{
    for (size_t i = 0; families[i] != NULL; i++) {
        for (size_t k = 0; families[i][k] != NULL; k++, index--) {
            if (index == 0)
                return families[i][k];
        }
    }
    return NULL;
}

const struct carve_format *carve_format_find(const char *name)
{
    const struct carve_format *format;

    for (size_t i = 0; (format = carve_format_at(i)) != NULL; i++) {
        if (strcmp(format->name, name) == 0)
            return format;
    }
    return NULL;
}

enum carve_grade carved_whole(struct carved *carved, enum carve_grade grade, uint64_t size)
{
    carved->grade = grade;
    carved->size = carved->good = size;
    return grade;
}

enum carve_grade carved_partial(struct carved *carved, uint64_t good, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(carved->lacks, sizeof carved->lacks, format, args);
    va_end(args);
    return carved_whole(carved, CARVE_PARTIAL, good);
}

/* Escaped text cut to fit, never inside of a character or of an escape. */
static void take_title(struct carved *carved, const char *text)
{
    size_t size = 0;

    for (size_t unit = 1; text[size] != '\0' && unit > 0; size += unit) {
        unit = text_escaped_unit(text + size);
        if (size + unit >= sizeof carved->title)
            break;
    }
    memcpy(carved->title, text, size);
    carved->title[size] = '\0';
}

void carved_title(struct carved *carved, const void *text, size_t size, const char *encoding)
{
    struct buf utf8 = {0}, escaped = {0};
    size_t begin = 0;

    if (size == 0 || (size == 1 && strcmp(encoding, "UTF-8") != 0))
        return;
    size = size < 4 * sizeof carved->title ? size : 4 * sizeof carved->title;
    if (strcmp(encoding, "UTF-8") == 0)
        buf_append(&utf8, text, size);
    else
        text_from_utf16(&utf8, text, size & ~(size_t)1, strcmp(encoding, "UTF-16BE") == 0);
    size = utf8.size;
    while (size > 0 && utf8.data[size - 1] <= ' ')
        size--;
    while (begin < size && utf8.data[begin] <= ' ')
        begin++;
    if (size > begin) /* else there may be no memory to point into */
        text_escape(&escaped, utf8.data + begin, size - begin);
    if (!buf_failed(&utf8) && !buf_failed(&escaped) && size > begin)
        take_title(carved, buf_cstr(&escaped));
    buf_finish(&utf8);
    buf_finish(&escaped);
}

void carved_part(struct carved *carved, uint64_t offset, uint64_t size, const char *extension)
{
    if (carved->part_count < CARVED_PARTS_MAX && size > 0)
        carved->parts[carved->part_count++] = (struct carved_part){offset, size, extension};
}
