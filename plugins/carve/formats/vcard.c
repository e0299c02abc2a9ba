/*
 * vcard: address cards and calendars [RFC 6350, RFC 2425, vCard 2.1; RFC 5545, vCalendar 1.0]. Lines of
 * "name:value" between BEGIN and END, folded ones continued by a space. A file of cards is one card behind
 * the other: it ends with the last. Validated: every BEGIN has its END in order, every line between is a
 * property or goes on with one, and what must be there (a version, a name; a producer) is.
 */
#include "plugins/carve/formats/textline.h"
#include "plugins/carve/format.h"

#include <string.h>

enum { DEPTH_MAX = 6, NAME_SIZE = 32, BLANK_MAX = 2 };

struct names {
    char name[DEPTH_MAX][NAME_SIZE];
    size_t depth;
};

struct object {
    struct reader *reader;
    struct carved *ret;
    uint64_t at;
    const char *kind, *title; /* "VCARD", "FN:" */
    bool has_version, version_here, has_title, has_producer, quoted, base64, name_alone;
};

/* The length of a property's name and parameters, with the colon; 0: the line is none. */
static size_t name_size(const struct textline *line)
{
    bool quotes = false;
    size_t i = 0;

    while (i < line->size && (quotes || line->data[i] != ':')) {
        quotes ^= line->data[i] == '"';
        if (i == 0 && line->data[i] != '_' && (line->data[i] | 0x20) < 'a')
            return 0;
        i++;
    }
    return i < line->size && i > 0 ? i + 1 : 0;
}

/* A name that is folded before its colon. */
static bool is_name_alone(const struct textline *line)
{
    for (size_t i = 0; i < line->size; i++) {
        if ((line->data[i] | 0x20) < 'a' && line->data[i] != '-')
            return false;
    }
    return line->size > 0 && line->size < NAME_SIZE;
}

/* Does the property's name, without group and parameters, equal `name`? */
static bool is_named(const struct textline *line, const char *name)
{
    size_t length = strlen(name);
    struct textline rest = *line;
    const uint8_t *dot = memchr(line->data, '.', line->size), *colon = memchr(line->data, ':', line->size);

    if (dot != NULL && colon != NULL && dot < colon &&
        memchr(line->data, ';', (size_t)(dot - line->data)) == NULL) {
        rest.data = dot + 1;
        rest.size = line->size - (size_t)(dot + 1 - line->data);
    }
    return rest.size > length && textline_begins(&rest, name) &&
           (rest.data[length] == ':' || rest.data[length] == ';');
}

static bool parameter(const struct textline *line, size_t size, const char *word)
{
    return memmem(line->data, size, word, strlen(word)) != NULL;
}

static void take_property(struct object *object, const struct textline *line, size_t name)
{
    bool is_quoted = parameter(line, name, "QUOTED-PRINTABLE"), is_base64 = parameter(line, name, "BASE64");

    object->quoted = is_quoted && line->data[line->size - 1] == '=';
    object->base64 = is_base64 || parameter(line, name, "ENCODING=b") || parameter(line, name, "ENCODING=B");
    object->has_version |= is_named(line, "VERSION");
    object->has_producer |= is_named(line, "PRODID");
    if (is_named(line, object->title) || is_named(line, "N"))
        object->has_title = true;
    if (is_named(line, object->title) && !is_quoted && object->ret->title[0] == '\0')
        carved_title(object->ret, line->data + name, line->size - name, "UTF-8");
}

/* A line inside: a property, or one that goes on with the last. */
static bool take_line(struct object *object, const struct textline *line)
{
    size_t name;

    if (object->quoted) { /* soft line breaks of quoted-printable */
        object->quoted = line->size > 0 && line->data[line->size - 1] == '=';
        return true;
    }
    if (line->size == 0)
        return object->base64; /* version 2.1 ends it by a blank line */
    if (line->data[0] == ' ' || line->data[0] == '\t') {
        object->name_alone = false;
        return true;
    }
    if (object->name_alone)
        return false;
    name = name_size(line);
    object->name_alone = name == 0 && is_name_alone(line);
    if (object->name_alone) {
        object->has_version |= textline_equals(line, "VERSION");
        object->has_producer |= textline_equals(line, "PRODID");
        return true;
    }
    if (name == 0 || (object->version_here && is_named(line, "VERSION"))) /* another object's: cut here */
        return false;
    object->version_here |= is_named(line, "VERSION");
    take_property(object, line, name);
    return true;
}

/* Opens or closes. False: what is closed is not what was opened last. */
static bool take_bracket(struct names *names, const struct textline *line, bool begins)
{
    size_t skip = begins ? 6 : 4, size = line->size - skip;

    while (size > 0 && line->data[skip + size - 1] == ' ')
        size--;
    if (size == 0 || size >= NAME_SIZE || (begins && names->depth == DEPTH_MAX) ||
        (!begins && names->depth == 0))
        return false;
    if (!begins) {
        const char *name = names->name[--names->depth];

        return strlen(name) == size && memcmp(name, line->data + skip, size) == 0;
    }
    memcpy(names->name[names->depth], line->data + skip, size);
    names->name[names->depth++][size] = '\0';
    return true;
}

/* One object from BEGIN to END; object->at is behind it, or at what is wrong. */
static bool take_object(struct object *object)
{
    struct names names = {.depth = 0};
    struct textline line;

    object->version_here = false;
    while (textline_at(object->reader, object->at, &line)) {
        bool begins = textline_begins(&line, "BEGIN:"), ends = textline_begins(&line, "END:");

        if (line.open && !(ends && line.open_at_nul && names.depth == 1))
            return false;
        if (begins || ends) {
            if (!take_bracket(&names, &line, begins))
                return false;
        } else if (names.depth == 0 || !take_line(object, &line)) {
            return false;
        }
        object->at += line.whole;
        if (names.depth == 0)
            return true;
    }
    return false;
}

/* Blank lines, when another object follows them. */
static bool goes_on(struct object *object)
{
    uint64_t at = object->at;
    struct textline line;
    char begin[32] = "BEGIN:";

    strcat(begin, object->kind);
    for (int i = 0; i <= BLANK_MAX && textline_at(object->reader, at, &line); i++) {
        if (textline_equals(&line, begin)) {
            object->at = at;
            return true;
        }
        if (line.size > 0 || line.open)
            break;
        at += line.whole;
    }
    return false;
}

static enum carve_grade judge(struct object *object, bool whole, uint64_t objects)
{
    uint64_t size = object->at < reader_size(object->reader) ? object->at : reader_size(object->reader);

    if (!whole && objects == 0 && !object->has_version) {
        object->ret->title[0] = '\0';
        return CARVE_NONE;
    }
    if (!whole)
        return carved_partial(object->ret, size, "the line at byte %llu is cut or none of a %s",
                              (unsigned long long)size, object->kind);
    return carved_whole(object->ret,
                        object->has_version && object->has_title ? CARVE_VALIDATED : CARVE_COMPLETE, size);
}

static enum carve_grade examine_vcard(struct reader *reader, struct carved *ret)
{
    struct object object = {.reader = reader, .ret = ret, .kind = "VCARD", .title = "FN"};
    uint64_t objects = 0;
    bool whole;

    if (!reader_is(reader, 0, "BEGIN:VCARD", 11))
        return CARVE_NONE;
    while ((whole = take_object(&object))) {
        objects++;
        if (!goes_on(&object))
            break;
    }
    return judge(&object, whole, objects);
}

/* Cards behind a line of text: well-formed, but what comes before them may belong to the same file. */
static enum carve_grade examine_rest(struct reader *reader, struct carved *ret)
{
    enum carve_grade grade = examine_vcard(reader, ret);

    if (grade < CARVE_COMPLETE)
        return grade;
    return carved_partial(ret, ret->size, "what is before it, perhaps: a line of text ends there");
}

static enum carve_grade examine_calendar(struct reader *reader, struct carved *ret)
{
    struct object object = {.reader = reader, .ret = ret, .kind = "VCALENDAR", .title = "X-WR-CALNAME"};
    bool whole;

    if (!reader_is(reader, 0, "BEGIN:VCALENDAR", 15))
        return CARVE_NONE;
    whole = take_object(&object);
    if (ret->title[0] == '\0') { /* most have no name: the first entry's is as good */
        object.title = "SUMMARY";
        object.at = 0;
        whole = take_object(&object);
    }
    object.has_title = object.has_producer;
    return judge(&object, whole, whole);
}

static const struct carve_format vcard_format = {"vcard", examine_vcard};
static const struct carve_format rest_format = {"vcardrest", examine_rest};
static const struct carve_format calendar_format = {"icalendar", examine_calendar};
const struct carve_format *const carve_vcard[] = {&vcard_format, &rest_format, &calendar_format, NULL};
