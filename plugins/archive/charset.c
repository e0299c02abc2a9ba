/* charset: see charset.h. */
#include "plugins/archive/charset.h"

#include "engine/base/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

enum page { CP437, CP866, CP1251, PAGES };
static const char *const names[PAGES] = {"CP437", "CP866", "CP1251"};

/* All 256 bytes of each code page, so that nothing is loaded or converted later. */
struct charset {
    struct {
        uint8_t size;
        char utf8[4];
    } letters[PAGES][256];
};

static int fill(struct charset *charset, enum page page)
{
    iconv_t converter = iconv_open("UTF-8", names[page]);

    if (converter == (iconv_t)-1)
        return -ENOTSUP;
    for (unsigned byte = 0; byte < 256; byte++) {
        char in = (char)byte, *from = &in, *to = charset->letters[page][byte].utf8;
        size_t in_left = 1, out_left = sizeof charset->letters[page][byte].utf8;

        if (iconv(converter, &from, &in_left, &to, &out_left) != (size_t)-1)
            charset->letters[page][byte].size =
                (uint8_t)(sizeof charset->letters[page][byte].utf8 - out_left);
    }
    iconv_close(converter);
    return 0;
}

int charset_new(struct charset **ret_charset)
{
    struct charset *charset = calloc(1, sizeof *charset);
    int code = charset != NULL ? 0 : -ENOMEM;

    for (enum page page = 0; page < PAGES && code == 0; page++)
        code = fill(charset, page);
    if (code < 0) {
        free(charset);
        return code;
    }
    *ret_charset = charset;
    return 0;
}

void charset_free(struct charset *charset)
{
    free(charset);
}

static bool is_866(uint8_t c)
{
    return (c >= 0x80 && c <= 0xaf) || (c >= 0xe0 && c <= 0xf1);
}

static bool is_1251(uint8_t c)
{
    return c >= 0xc0 || c == 0xa8 || c == 0xb8 || c == 0xb9;
}

/* Small letters: words have more of these. */
static bool is_small_866(uint8_t c)
{
    return (c >= 0xa0 && c <= 0xaf) || (c >= 0xe0 && c <= 0xef) || c == 0xf1;
}

static enum page guess(const uint8_t *name, size_t size, bool oem)
{
    size_t high = 0, joined = 0, n866 = 0, n1251 = 0, small866 = 0, small1251 = 0;

    for (size_t i = 0; i < size; i++) {
        if (name[i] < 0x80)
            continue;
        high++;
        joined += (i > 0 && name[i - 1] >= 0x80) || (i + 1 < size && name[i + 1] >= 0x80);
        n866 += is_866(name[i]);
        n1251 += is_1251(name[i]);
        small866 += is_small_866(name[i]);
        small1251 += name[i] >= 0xe0;
    }
    /* Single letters between Latin ones are accents. */
    if (joined * 2 < high)
        return CP437;
    if (n866 == high && (n1251 < high || oem || small866 >= small1251))
        return CP866;
    if (n1251 == high)
        return CP1251;
    return n866 * 10 >= high * 9 ? CP866 : CP437;
}

const char *charset_decode(const struct charset *charset, const void *name, size_t size, bool oem,
                           struct buf *ret)
{
    const uint8_t *bytes = name;
    enum page page;
    bool ascii = true;

    for (size_t i = 0; i < size && ascii; i++)
        ascii = bytes[i] < 0x80;
    if (ascii || text_is_utf8(name, size)) {
        buf_append(ret, name, size);
        return ascii ? "" : "UTF-8";
    }
    page = guess(bytes, size, oem);
    for (size_t i = 0; i < size; i++) {
        if (charset->letters[page][bytes[i]].size > 0)
            buf_append(ret, charset->letters[page][bytes[i]].utf8, charset->letters[page][bytes[i]].size);
        else
            buf_u8(ret, bytes[i]);
    }
    return names[page];
}
