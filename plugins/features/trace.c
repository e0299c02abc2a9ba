/*
 * trace: what systems leave of devices and people: serial numbers of USB devices in Windows' keys (USBSTOR,
 * USB\VID_) [Microsoft, USB device identification strings] and in Linux' log, and names of users in paths of
 * their folders.
 */
#include "plugins/features/examiners.h"

#include "engine/base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SERIAL_MAX = 64, NAME_MAX_SIZE = 64, KEY_MAX = 160 };

static bool starts(const struct text *text, size_t at, const char *word)
{
    size_t size = strlen(word);

    return at < text->size && text->size - at >= size &&
           strncasecmp((const char *)text->data + at, word, size) == 0;
}

static bool is_serial(uint8_t c)
{
    return is_alnum(c) || c == '&' || c == '-' || c == '_' || c == '.' || c == ':';
}

static bool is_key(uint8_t c)
{
    return is_alnum(c) || c == '&' || c == '_' || c == '-' || c == '.' || c == ' ' || c == '#' || c == '+';
}

static void tell_serial(struct finder *finder, const struct text *text, size_t begin, size_t end,
                        const char *detail)
{
    char normal[SERIAL_MAX + 1];
    size_t size = end - begin;
    const struct found found = {FEATURE_USB_SERIAL, RANK_CONTEXT, begin, end, normal, detail};

    if (size < 4 || size > SERIAL_MAX)
        return;
    memcpy(normal, text->data + begin, size);
    normal[size] = '\0';
    /* Windows adds "&0" for the logical unit. */
    if (size > 6 && normal[size - 2] == '&' && is_digit((uint8_t)normal[size - 1]))
        normal[size - 2] = '\0';
    finder->found(finder, text, &found);
}

static void look_log(struct finder *finder, const struct text *text, size_t at)
{
    size_t begin = at + strlen("SerialNumber:"), end;

    while (text_at(text, begin) == ' ' && begin - at < 16)
        begin++;
    for (end = begin; end < text->size && is_serial(text->data[end]) && end - begin <= SERIAL_MAX;)
        end++;
    if (starts(text, begin, "0000:")) /* a host controller's place on its bus */
        return;
    tell_serial(finder, text, begin, end, NULL);
}

/* USBSTOR\Disk&Ven_X&Prod_Y&Rev_Z\SERIAL, USB\VID_1234&PID_5678\SERIAL, and both with '#' for '\' (as in
 * device names). */
void examine_usb(struct finder *finder, const struct text *text, size_t at)
{
    size_t key, key_end, begin, end;
    char detail[KEY_MAX + 32];
    uint8_t separator;

    if (starts(text, at, "SerialNumber:")) {
        look_log(finder, text, at);
        return;
    }
    key = at + (starts(text, at, "USBSTOR") ? 7 : 3);
    separator = text_at(text, key);
    if (separator != '\\' && separator != '#')
        return;
    key++;
    for (key_end = key; key_end < text->size && key_end - key < KEY_MAX && is_key(text->data[key_end]) &&
                        text->data[key_end] != separator;)
        key_end++;
    if (text_at(text, key_end) != separator || key_end == key)
        return;
    begin = end = key_end + 1;
    while (end < text->size && is_serial(text->data[end]) && end - begin <= SERIAL_MAX)
        end++;
    /* A second character '&' means that Windows made the number up; it still tells devices of one machine
     * apart. */
    snprintf(detail, sizeof detail, "{\"device\":\"%.*s\",\"own\":%s}", (int)(key_end - key),
             (const char *)text->data + key, text_at(text, begin + 1) == '&' ? "false" : "true");
    tell_serial(finder, text, begin, end, detail);
}

/* ------------------------------------------------------------------ users */

static bool is_nobody(const uint8_t *name, size_t size)
{
    static const char *const names[] = {
        "public", "default", "default user", "all users",     "username",      "user name",
        "user",   "shared",  "name",         "your_username", "foo",           "someone",
        "me",     "you",     "linuxbrew",    "guest",         "defaultapppool"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == size && strncasecmp(names[i], (const char *)name, size) == 0)
            return true;
    }
    return false;
}

/* The length of a character that a user's name may have; 0: none. */
static size_t name_character(const struct text *text, size_t at, bool windows)
{
    uint8_t c = text_at(text, at);
    uint32_t code;

    if (c >= 0x80) {
        size_t size = text_character(text->data + at, text->size - at, &code);
        return size > 0 && !text_is_hidden(code) ? size : 0;
    }
    return is_alnum(c) || c == '.' || c == '_' || c == '-' || (windows && (c == ' ' || c == '@')) ? 1 : 0;
}

void examine_home(struct finder *finder, const struct text *text, size_t at)
{
    uint8_t separator = text_at(text, at);
    size_t begin = at + 1, end, step;
    struct found found = {.kind = FEATURE_USER_NAME, .rank = RANK_CONTEXT};
    bool windows = separator == '\\';

    while (begin < text->size && begin - at < 32 && text->data[begin] != separator)
        begin++;
    begin++;
    if (windows && text_at(text, begin) == '\\') /* written as in a program's text */
        begin++;
    /* A path begins here: with a drive, nothing, or the end of another word. */
    if (windows
            ? text_at(text, at - 1) != ':' && text_at(text, at - 1) != '\\' && text_at(text, at - 1) != '?'
            : is_alnum(text_at(text, at - 1)) || text_at(text, at - 1) == '.' ||
                  text_at(text, at - 1) == '_' || text_at(text, at - 1) == '-' ||
                  text_at(text, at - 1) == '}' || text_at(text, at - 1) == ')' ||
                  text_at(text, at - 1) == '*')
        return;
    for (end = begin; end - begin <= NAME_MAX_SIZE && (step = name_character(text, end, windows)) > 0;)
        end += step;
    if (end - begin < 2 || end - begin > NAME_MAX_SIZE || text_at(text, end) != separator ||
        text_at(text, begin) == '.' || text_at(text, begin) == ' ' || text_at(text, end - 1) == ' ' ||
        is_nobody(text->data + begin, end - begin))
        return;
    found.begin = begin;
    found.end = end;
    finder->found(finder, text, &found);
}
