/*
 * test_text: what is shown is harmless, and nothing is lost on the way there and back.
 */
#include "engine/base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

typedef void escape_function(struct buf *, const void *, size_t);

/* The escaped form, valid until the next call. */
static const char *escaped_by(escape_function *escape, const void *data, size_t size)
{
    static struct buf buf;

    buf_clear(&buf);
    escape(&buf, data, size);
    cr_assert_not(buf_failed(&buf));
    return buf_cstr(&buf);
}

static const char *escaped(const char *text)
{
    return escaped_by(text_escape, text, strlen(text));
}

static const char *escaped_name(const char *text)
{
    return escaped_by(text_escape_name, text, strlen(text));
}

/* Nothing but printable characters may come out, judged without the code under test. */
static void assert_harmless(const char *text)
{
    cr_assert(text_is_utf8(text, strlen(text)));
    for (const uint8_t *c = (const uint8_t *)text; *c != '\0'; c++) {
        cr_assert(*c >= 0x20 && *c != 0x7f, "control 0x%02x", *c);
        cr_assert_not(c[0] == 0xc2 && c[1] < 0xa0, "C1");
        cr_assert_not(c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae,
                      "bidirectional embedding");
        cr_assert_not(c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa0 && c[2] <= 0xaf, "isolate or word joiner");
        cr_assert_not(c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf, "byte order mark");
    }
}

static void assert_comes_back(escape_function *escape, const void *data, size_t size)
{
    static struct buf back;
    const char *text = escaped_by(escape, data, size);

    assert_harmless(text);
    buf_clear(&back);
    cr_assert_eq(text_unescape(&back, text), 0, "\"%s\" is refused", text);
    cr_assert_eq(back.size, size, "\"%s\" has another length", text);
    cr_assert(size == 0 || memcmp(back.data, data, size) == 0, "\"%s\" comes back as other bytes", text);
}

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

Test(text, plain_names_and_georgian_stay_as_they_are)
{
    cr_assert_str_eq(escaped("C:Users/report (final).docx ~!@#$%^&*"),
                     "C:Users/report (final).docx ~!@#$%^&*");
    cr_assert_str_eq(escaped("საქმე №7 – доклад – 報告 – é"), "საქმე №7 – доклад – 報告 – é");
    cr_assert_str_eq(escaped("😀"), "😀");
    cr_assert_str_eq(escaped(""), "");
}

Test(text, decomposed_characters_are_not_composed)
{
    cr_assert_str_eq(escaped("e\xcc\x81"), "e\xcc\x81");
}

Test(text, a_backslash_is_doubled_and_controls_are_bytes_in_hex)
{
    cr_assert_str_eq(escaped("a\\b"), "a\\\\b");
    cr_assert_str_eq(escaped("\x1b[31mred\n\x7f"), "\\x1b[31mred\\x0a\\x7f");
    cr_assert_str_eq(escaped_by(text_escape, "a\0b", 3), "a\\x00b");
    cr_assert_str_eq(escaped("\xc2\x85"), "\\xc2\\x85");
}

Test(text, characters_that_reorder_or_hide_text_are_shown_as_bytes)
{
    cr_assert_str_eq(escaped("exe.\xe2\x80\xae"
                             "gpj"),
                     "exe.\\xe2\\x80\\xaegpj");
    cr_assert_str_eq(escaped("\xd8\x9c"), "\\xd8\\x9c");                   /* U+061C */
    cr_assert_str_eq(escaped("\xe2\x80\x8b"), "\\xe2\\x80\\x8b");          /* U+200B */
    cr_assert_str_eq(escaped("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");          /* U+2028 */
    cr_assert_str_eq(escaped("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");          /* U+2066 */
    cr_assert_str_eq(escaped("\xef\xbb\xbf"), "\\xef\\xbb\\xbf");          /* U+FEFF */
    cr_assert_str_eq(escaped("\xef\xbf\xbe"), "\\xef\\xbf\\xbe");          /* U+FFFE */
    cr_assert_str_eq(escaped("\xf0\x9f\xbf\xbf"), "\\xf0\\x9f\\xbf\\xbf"); /* U+1FFFF */
    cr_assert_str_eq(escaped("\xef\xb7\x90"), "\\xef\\xb7\\x90");          /* U+FDD0 */
    cr_assert_str_eq(escaped("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81"); /* U+E0041 */
}

Test(text, their_neighbours_stay_as_they_are)
{
    static const char *const shown[] = {"\xc2\xa0",     "\xe2\x80\x8a", "\xe2\x80\x90", "\xe2\x80\xa7",
                                        "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe2\x81\xb0", "\xef\xb7\x8f",
                                        "\xef\xb7\xb0", "\xef\xbf\xbd"};

    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        cr_assert_str_eq(escaped(shown[i]), shown[i]);
}

Test(text, bytes_that_are_not_utf8_are_shown_one_by_one)
{
    cr_assert_str_eq(escaped("\xff"), "\\xff");
    cr_assert_str_eq(escaped("\x80x"), "\\x80x");
    cr_assert_str_eq(escaped("\xe1\x83"), "\\xe1\\x83");          /* cut short */
    cr_assert_str_eq(escaped("\xe1\x83x"), "\\xe1\\x83x");        /* interrupted */
    cr_assert_str_eq(escaped("\xc0\xaf"), "\\xc0\\xaf");          /* overlong slash */
    cr_assert_str_eq(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* surrogate */
}

Test(text, utf8_is_read_strictly)
{
    static const char *const good[] = {"",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xff",
                                      "\xc2",
                                      "\xe1\x80",
                                      "\xf1\x80\x80",
                                      "\xc2\x41",
                                      "\xe1\x80\x41",
                                      "aaaaaaaaaaaa\xff"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(text_is_utf8(good[i], strlen(good[i])), "good %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(text_is_utf8(bad[i], strlen(bad[i])), "bad %zu", i);
    cr_assert(text_is_utf8("\0", 1));
    cr_assert_not(text_is_utf8("\xe1\x83\x99", 2), "a character that ends behind the end");
}

Test(text, a_character_has_its_length_and_code_point)
{
    uint32_t code = 7;

    cr_assert_eq(text_character("A", 1, &code), 1);
    cr_assert_eq(code, 'A');
    cr_assert_eq(text_character("კx", 4, &code), 3);
    cr_assert_eq(code, 0x10d9);
    cr_assert_eq(text_character("\xf4\x8f\xbf\xbf", 4, &code), 4);
    cr_assert_eq(code, 0x10ffff);
    code = 7;
    cr_assert_eq(text_character("\xff", 1, &code), 0);
    cr_assert_eq(text_character("", 0, &code), 0);
    cr_assert_eq(code, 7, "an output is untouched on failure");
}

Test(text, every_byte_at_every_place_of_a_plain_run_is_seen)
{
    for (size_t at = 0; at < 20; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char name[21] = "abcdefghijklmnopqrst";
            const char *text;
            bool plain = byte >= 0x20 && byte < 0x7f && byte != '\\';

            name[at] = (char)byte;
            text = escaped_by(text_escape, name, 20);
            cr_assert_eq(memcmp(text, name, at), 0, "before %u at %zu", byte, at);
            cr_assert_eq(text[at] == '\\', !plain, "%u at %zu", byte, at);
            cr_assert_eq(strcmp(text + strlen(text) - (19 - at), name + at + 1), 0, "behind %u at %zu", byte,
                         at);
        }
    }
}

Test(text, all_pairs_of_bytes_come_back)
{
    for (unsigned i = 0; i < 65536; i++) {
        const uint8_t pair[2] = {(uint8_t)(i >> 8), (uint8_t)i};

        assert_comes_back(text_escape, pair, 2);
    }
}

Test(text, random_bytes_come_back)
{
    /* Of the bytes that mean something here, so that special cases meet. */
    static const uint8_t telling[] = {'\\', 'x',  '-',  '0',  'a',  '/',  '.', '!',
                                      0,    0xe2, 0x80, 0xae, 0xed, 0xa0, 0xf0};
    uint8_t data[64];

    for (unsigned round = 0; round < 20000; round++) {
        size_t size = random_number() % (sizeof data + 1);

        for (size_t i = 0; i < size; i++) {
            uint64_t number = random_number();

            data[i] = number & 1 ? telling[(number >> 8) % sizeof telling] : (uint8_t)(number >> 8);
        }
        assert_comes_back(text_escape, data, size);
        assert_comes_back(text_escape_name, data, size);
    }
}

Test(text, two_byte_strings_never_have_the_same_escaped_form)
{
    cr_assert_str_eq(escaped("\\xff"), "\\\\xff");
    cr_assert_str_eq(escaped("\xff"), "\\xff");
    cr_assert_str_eq(escaped("\\-"), "\\\\-");
    cr_assert_str_eq(escaped_name(""), "\\-");
}

Test(text, a_name_holds_no_slash_and_is_never_empty_or_dots)
{
    cr_assert_str_eq(escaped_name("a/b//"), "a\\x2fb\\x2f\\x2f");
    cr_assert_str_eq(escaped_name("/"), "\\x2f");
    cr_assert_str_eq(escaped_name(""), "\\-");
    cr_assert_str_eq(escaped_name("."), "\\x2e");
    cr_assert_str_eq(escaped_name(".."), "\\x2e.");
    cr_assert_str_eq(escaped_name("..."), "...");
    cr_assert_str_eq(escaped_name(".a"), ".a");
    cr_assert_str_eq(escaped("a/b"), "a/b", "only a component of a path has no slash");
}

Test(text, a_name_does_not_end_like_a_container)
{
    cr_assert_str_eq(escaped_name("a.zip!"), "a.zip\\x21");
    cr_assert_str_eq(escaped_name("!"), "\\x21");
    cr_assert_str_eq(escaped_name("!!"), "!\\x21");
    cr_assert_str_eq(escaped_name("wow!.txt"), "wow!.txt");
    cr_assert_str_eq(escaped_name("a/!"), "a\\x2f\\x21");
}

Test(text, special_names_come_back)
{
    static const char *const names[] = {"",    ".",  "..",  "!",     "/",  "//",  "a!",
                                        "a/!", "\\", "\\-", "\\x41", ".!", "../x"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_comes_back(text_escape_name, names[i], strlen(names[i]));
        assert_comes_back(text_escape, names[i], strlen(names[i]));
    }
}

Test(text, what_escaping_never_writes_is_refused_and_leaves_the_buffer_alone)
{
    static const char *const bad[] = {"\\",    "a\\",  "\\x",          "\\x4",    "\\xg0",
                                      "\\x0g", "\\n",  "a\\-",         "\\-a",    "tab\there",
                                      "\x7f",  "\xff", "\xe2\x80\xae", "\xc2\x85"};
    struct buf buf = {0};

    buf_text(&buf, "kept");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(text_unescape(&buf, bad[i]), -EINVAL, "%zu", i);
        cr_assert_str_eq(buf_cstr(&buf), "kept");
    }
    buf_finish(&buf);
}

Test(text, unescaping_appends)
{
    struct buf buf = {0};

    buf_text(&buf, "a");
    cr_assert_eq(text_unescape(&buf, "\\x2fB\\\\\\xFf"), 0);
    cr_assert_str_eq(buf_cstr(&buf), "a/B\\\xff");
    buf_finish(&buf);
}

static const char *from_utf16(const void *data, size_t size, bool big_endian)
{
    static struct buf buf;

    buf_clear(&buf);
    text_from_utf16(&buf, data, size, big_endian);
    cr_assert_not(buf_failed(&buf));
    return buf_cstr(&buf);
}

Test(text, utf16_of_both_byte_orders_becomes_utf8)
{
    cr_assert_str_eq(from_utf16("A\0\xd9\x10", 4, false), "Aკ");
    cr_assert_str_eq(from_utf16("\0A\x10\xd9", 4, true), "Aკ");
    cr_assert_str_eq(from_utf16("\xe9\0\x3d\xd8\x00\xde", 6, false), "é😀");
    cr_assert_str_eq(from_utf16("\0\xe9\xd8\x3d\xde\x00", 6, true), "é😀");
    cr_assert_str_eq(from_utf16("", 0, false), "");
}

Test(text, the_edges_of_utf16_become_the_edges_of_utf8)
{
    cr_assert_str_eq(from_utf16("\x00\x7f\x00\x80\x07\xff\x08\x00\xff\xff", 10, true),
                     "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
    cr_assert_str_eq(from_utf16("\xd8\x00\xdc\x00\xdb\xff\xdf\xff", 8, true),
                     "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}

Test(text, an_unpaired_surrogate_keeps_its_value)
{
    cr_assert_str_eq(from_utf16("\xd8\x3d\0A", 4, true), "\xed\xa0\xbd\x41"); /* high alone */
    cr_assert_str_eq(from_utf16("\xde\x00\xd8\x3d", 4, true),
                     "\xed\xb8\x80\xed\xa0\xbd");                      /* in the wrong order */
    cr_assert_str_eq(from_utf16("\xd8\x3d", 2, true), "\xed\xa0\xbd"); /* at the end */
    cr_assert_str_eq(escaped(from_utf16("\xd8\x3d", 2, true)), "\\xed\\xa0\\xbd");
}

Test(text, a_last_odd_byte_of_utf16_is_kept)
{
    cr_assert_str_eq(from_utf16("A\0\xd8", 3, false), "A\xd8");
    cr_assert_str_eq(from_utf16("\xd8\x3d\xde", 3, true), "\xed\xa0\xbd\xde");
    cr_assert_str_eq(from_utf16("B", 1, true), "B");
}

Test(text, hex_digits_go_there_and_back)
{
    static const uint8_t data[] = {0x00, 0x1f, 0xab, 0xff};
    uint8_t back[4] = {0};
    struct buf buf = {0};

    text_hex(&buf, data, sizeof data);
    cr_assert_str_eq(buf_cstr(&buf), "001fabff");
    cr_assert(text_unhex("001FaBff", back, sizeof back));
    cr_assert_arr_eq(back, data, sizeof data);
    buf_finish(&buf);
}

Test(text, hex_of_another_length_or_with_other_characters_is_refused)
{
    static const char *const bad[] = {"", "00", "001", "00112", "001122", "00 1", "0x01", "001g", "-001"};
    uint8_t back[2] = {7, 7};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(text_unhex(bad[i], back, sizeof back), "%s", bad[i]);
    cr_assert(back[0] == 7 && back[1] == 7, "an output is untouched on failure");
    cr_assert(text_unhex("", back, 0));
}

static const char *extension(const char *name)
{
    static char ret[6];

    memset(ret, 'z', sizeof ret);
    text_extension(name, ret, sizeof ret);
    return ret;
}

Test(text, an_extension_is_what_follows_the_last_dot_in_lower_case)
{
    cr_assert_str_eq(extension("Report.DOCX"), "docx");
    cr_assert_str_eq(extension("a.tar.gz"), "gz");
    cr_assert_str_eq(extension("a.7z"), "7z");
    cr_assert_str_eq(extension("a.x-_y"), "x-_y");
    cr_assert_str_eq(extension("FILE.INI"), "ini");
}

Test(text, names_without_a_usable_extension_have_none)
{
    cr_assert_str_eq(extension("README"), "");
    cr_assert_str_eq(extension("dot."), "");
    cr_assert_str_eq(extension(".bashrc"), "");
    cr_assert_str_eq(extension(""), "");
    cr_assert_str_eq(extension("a.b c"), "");
    cr_assert_str_eq(extension("a.დოკ"), "");
    cr_assert_str_eq(extension("a.b/c"), "");
    cr_assert_str_eq(extension("a.toolong"), "");
    cr_assert_str_eq(extension("a.12345"), "12345", "what just fits is not too long");
    cr_assert_str_eq(extension("a.123456"), "");
}

Test(text, what_escaping_leaves_is_known_as_escaped_and_nothing_else_is)
{
    cr_assert(text_is_escaped(""));
    cr_assert(text_is_escaped("a/საქართველო \\\\ \\x1b"));
    cr_assert(text_is_escaped("twice.txt\\#1234"));
    cr_assert(text_is_escaped("folder/\\-"));
    cr_assert_not(text_is_escaped("a\nb"));
    cr_assert_not(text_is_escaped("\\n"));
    cr_assert_not(text_is_escaped("\\x1"));
    cr_assert_not(text_is_escaped("\\"));
    cr_assert_not(text_is_escaped("\xff"));
    cr_assert_not(text_is_escaped("\xe2\x80\xae"
                                  "gpj.exe"));
}

Test(text, escaped_text_is_cut_between_its_units)
{
    static const struct {
        size_t most;
        const char *want;
    } cases[] = {{100, "aბ\\x1bb"}, {9, "aბ\\x1bb"}, {8, "aბ\\x1b"}, {7, "aბ"}, {4, "aბ"}, {3, "a"}, {0, ""}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf buf = {0};

        buf_text(&buf, "aბ\\x1bb");
        text_escaped_cut(&buf, cases[i].most);
        cr_assert_str_eq(buf_cstr(&buf), cases[i].want, "%zu: %s", cases[i].most, buf_cstr(&buf));
        buf_finish(&buf);
    }
}
