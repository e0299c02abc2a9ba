/* Java classes are followed through constants, members and attributes to their end. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf image;

static void be(uint32_t n, size_t size)
{
    for (size_t i = size; i > 0; i--)
        buf_u8(&image, (uint8_t)(n >> 8 * (i - 1)));
}

static void name(const char *text)
{
    be(1, 1);
    be((uint32_t)strlen(text), 2);
    buf_text(&image, text);
}

static void words(const uint16_t *word, size_t count)
{
    for (size_t i = 0; i < count; i++)
        be(word[i], 2);
}

/* class ge.Test extends java.lang.Object { long x; void run() {} }. Returns where the method's attribute is.
 */
static size_t make(void)
{
    size_t code;

    buf_clear(&image);
    be(0xcafebabe, 4);
    words((const uint16_t[]){0, 61, 12}, 3);
    name("ge/Test");
    be(7 << 16 | 1, 3); /* class, its name */
    name("java/lang/Object");
    be(7 << 16 | 3, 3);
    name("x");
    name("J");
    name("run");
    name("()V");
    name("Code");
    be(5, 1);
    be(0, 4);
    be(77, 4); /* a long: constants 10 and 11 */
    words((const uint16_t[]){0x21, 2, 4, 0}, 4);
    words((const uint16_t[]){1, 0, 5, 6, 0}, 5);
    words((const uint16_t[]){1, 1, 7, 8, 1, 9}, 6);
    code = image.size;
    be(13, 4);
    words((const uint16_t[]){0, 1}, 2);
    be(1, 4);
    be(0xb1, 1);
    words((const uint16_t[]){0, 0}, 2);
    be(0, 2);
    return code;
}

Test(javaclass, whole_is_validated_and_named)
{
    make();
    cr_assert(harness_holds("javaclass", image.data, image.size, CARVE_VALIDATED, image.size));
    cr_assert_str_eq(harness_examine("javaclass", image.data, image.size).title, "ge/Test");
    cr_assert_eq(harness_examine("machofat", image.data, image.size).grade, CARVE_NONE);
}

Test(javaclass, code_that_does_not_fill_its_attribute_is_partial)
{
    size_t code = make();

    image.data[code + 3] = 14;
    cr_assert_eq(harness_examine("javaclass", image.data, image.size).grade, CARVE_PARTIAL);
}

Test(javaclass, a_constant_that_leads_nowhere_is_none)
{
    make();
    image.data[22] = 9; /* the class' name */
    cr_assert_eq(harness_examine("javaclass", image.data, image.size).grade,
                 CARVE_VALIDATED); /* a name too */
    image.data[22] = 10;
    cr_assert_eq(harness_examine("javaclass", image.data, image.size).grade, CARVE_NONE);
}
