/*
 * javaclass: compiled Java [Oracle, The Java Virtual Machine Specification, chapter 4]. The constant pool,
 * fields, methods and attributes follow each other; the end is behind the last attribute. There is no
 * checksum. Validated: every index leads to a constant of the right kind, every name is modified UTF-8, and
 * the parts of a Code attribute fill it. The title is the class' name.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"

#include <stdlib.h>
#include <string.h>

enum tag {
    UTF8 = 1,
    INTEGER = 3,
    FLOAT,
    LONG,
    DOUBLE,
    CLASS,
    STRING,
    FIELD,
    METHOD,
    INTERFACE,
    NAME_AND_TYPE
};

struct constant {
    uint8_t tag;
    uint16_t a, b;   /* indices, or the length of a UTF8 */
    uint64_t offset; /* of its content */
};

struct class
{
    struct reader *reader;
    uint64_t at; /* next byte */
    struct constant *pool;
    uint16_t count;
    bool cut; /* the data ends here, rather than: this is no class */
};

static const uint8_t *take(struct class *class, size_t size)
{
    const uint8_t *p = reader_at(class->reader, class->at, size);

    if (p == NULL)
        class->cut = true;
    else
        class->at += size;
    return p;
}

/* Modified UTF-8: no NUL, no byte from 0xF0. */
static bool name_is_legal(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t more = p[i] < 0x80 ? 0 : (p[i] & 0xe0) == 0xc0 ? 1 : 2;

        if (p[i] == 0 || p[i] >= 0xf0 || (p[i] & 0xc0) == 0x80 || more >= size - i)
            return false;
        for (size_t k = 1; k <= more; k++) {
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
        }
        i += more + 1;
    }
    return true;
}

/* Bytes of a constant behind its tag; 0: no such tag. */
static size_t constant_size(uint8_t tag)
{
    static const uint8_t sizes[] = {0, 2, 0, 4, 4, 8, 8, 2, 2, 4, 4, 4, 4, 0, 0, 3, 2, 4, 4, 2, 2};

    return tag < sizeof sizes ? sizes[tag] : 0;
}

static bool take_constant(struct class *class, struct constant *ret)
{
    const uint8_t *p = take(class, 1);
    size_t size = p != NULL ? constant_size(p[0]) : 0;

    if (size == 0)
        return false;
    ret->tag = p[0];
    if ((p = take(class, size)) == NULL)
        return false;
    ret->offset = class->at;
    ret->a = ret->tag == 15 ? field_be16(p + 1) : field_be16(p);
    ret->b = size == 4 ? field_be16(p + 2) : 0;
    if (ret->tag != UTF8 || ret->a == 0)
        return true;
    return (p = take(class, ret->a)) != NULL && name_is_legal(p, ret->a);
}

static bool is(const struct class *class, uint16_t index, uint8_t tag)
{
    return index > 0 && index < class->count && class->pool[index].tag == tag;
}

/* Does every constant lead to what its kind wants? */
static bool pool_agrees(const struct class *class)
{
    for (uint16_t i = 1; i < class->count; i++) {
        const struct constant *c = &class->pool[i];
        bool right = true;

        if (c->tag == CLASS || c->tag == STRING || c->tag == 16 || c->tag == 19 || c->tag == 20)
            right = is(class, c->a, UTF8);
        else if (c->tag == NAME_AND_TYPE)
            right = is(class, c->a, UTF8) && is(class, c->b, UTF8);
        else if (c->tag >= FIELD && c->tag <= INTERFACE)
            right = is(class, c->a, CLASS) && is(class, c->b, NAME_AND_TYPE);
        else if (c->tag == 15)
            right = is(class, c->a, FIELD) || is(class, c->a, METHOD) || is(class, c->a, INTERFACE);
        else if (c->tag == 17 || c->tag == 18)
            right = is(class, c->b, NAME_AND_TYPE);
        if (!right)
            return false;
    }
    return true;
}

static bool take_pool(struct class *class)
{
    for (uint16_t i = 1; i < class->count; i++) {
        if (!take_constant(class, &class->pool[i]))
            return false;
        if (class->pool[i].tag == LONG || class->pool[i].tag == DOUBLE)
            i++; /* these take two numbers */
    }
    return pool_agrees(class);
}

static bool is_code(struct class *class, uint16_t name)
{
    return class->pool[name].a == 4 && reader_is(class->reader, class->pool[name].offset, "Code", 4);
}

static bool take_attributes(struct class *class, uint64_t limit, bool inside_code);

/* Code: two words, the code, exceptions, attributes of its own; all of that is `end` - at. */
static bool take_code(struct class *class, uint64_t end)
{
    const uint8_t *p = take(class, 8);
    uint32_t size = p != NULL ? field_be32(p + 4) : 0;

    if (size == 0 || size > 65535)
        return false;
    class->at += size;
    if ((p = take(class, 2)) == NULL)
        return false;
    class->at += 8 * (uint64_t)field_be16(p);
    return class->at <= end && take_attributes(class, end, true) && class->at == end;
}

/* `limit`: none may go beyond. There is no Code within Code, so this goes two deep at most. */
static bool take_attributes(struct class *class, uint64_t limit, bool inside_code)
{
    const uint8_t *p = take(class, 2);
    uint16_t count = p != NULL ? field_be16(p) : 0;

    if (p == NULL)
        return false;
    for (; count > 0; count--) {
        uint16_t name;
        uint64_t end;

        if ((p = take(class, 6)) == NULL)
            return false;
        name = field_be16(p);
        end = class->at + field_be32(p + 2);
        if (!is(class, name, UTF8) || end > limit)
            return false;
        if (!inside_code && is_code(class, name) && !take_code(class, end))
            return false;
        if (end > reader_size(class->reader)) {
            class->cut = true;
            return false;
        }
        class->at = end;
    }
    return true;
}

/* Fields or methods. */
static bool take_members(struct class *class)
{
    const uint8_t *p = take(class, 2);
    uint16_t count = p != NULL ? field_be16(p) : 0;

    if (p == NULL)
        return false;
    for (; count > 0; count--) {
        if ((p = take(class, 6)) == NULL || !is(class, field_be16(p + 2), UTF8) ||
            !is(class, field_be16(p + 4), UTF8) || !take_attributes(class, UINT64_MAX, false))
            return false;
    }
    return true;
}

/* Flags, this class, its parent, interfaces. *ret_name: the constant with its name. */
static bool take_identity(struct class *class, uint16_t *ret_name)
{
    const uint8_t *p = take(class, 8);
    uint16_t count;

    if (p == NULL || !is(class, field_be16(p + 2), CLASS) ||
        (field_be16(p + 4) != 0 && !is(class, field_be16(p + 4), CLASS)))
        return false;
    *ret_name = class->pool[field_be16(p + 2)].a;
    for (count = field_be16(p + 6); count > 0; count--) {
        if ((p = take(class, 2)) == NULL || !is(class, field_be16(p), CLASS))
            return false;
    }
    return true;
}

static enum carve_grade walk(struct class *class, struct carved *ret)
{
    uint16_t name = 0;
    const uint8_t *p;
    bool whole;

    if (!take_pool(class))
        return class->cut && class->at > 64
                   ? carved_partial(ret, class->at, "the data ends in the constant pool")
                   : CARVE_NONE;
    if (!take_identity(class, &name))
        return class->cut ? carved_partial(ret, class->at, "the data ends behind the constant pool")
                          : CARVE_NONE;
    whole = take_members(class) && take_members(class) && take_attributes(class, UINT64_MAX, true);
    if (class->pool[name].a > 0 &&
        (p = reader_at(class->reader, class->pool[name].offset, class->pool[name].a)) != NULL)
        carved_title(ret, p, class->pool[name].a, "UTF-8");
    if (whole)
        return carved_whole(ret, CARVE_VALIDATED, class->at);
    if (class->at > reader_size(class->reader))
        class->at = reader_size(class->reader);
    return carved_partial(ret, class->at,
                          class->cut ? "the data ends in a member or attribute"
                                     : "no member or attribute follows here");
}

static enum carve_grade examine_javaclass(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, 11);
    struct class class = {.reader = reader, .at = 10};

    if (p == NULL || field_be32(p) != 0xcafebabe || field_be16(p + 6) < 45 || field_be16(p + 6) > 80 ||
        field_be16(p + 8) < 2 || constant_size(p[10]) == 0)
        return CARVE_NONE;
    class.count = field_be16(p + 8);
    class.pool = calloc(class.count, sizeof *class.pool);
    if (class.pool == NULL)
        return CARVE_NONE;
    walk(&class, ret);
    free(class.pool);
    return ret->grade;
}

static const struct carve_format javaclass_format = {"javaclass", examine_javaclass};
const struct carve_format *const carve_javaclass[] = {&javaclass_format, NULL};
