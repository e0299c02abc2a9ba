/*
 * messenger: links that lead to a person, group or channel in Telegram [core.telegram.org/api/links],
 * WhatsApp [WhatsApp help centre, click to chat] and Viber [developers.viber.com, deep links].
 */
#include "plugins/features/examiners.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PATH_MAX_SHOWN = 128 };

#define SIZED(text) text, sizeof(text) - 1

static const struct {
    enum feature_kind kind;
    const char *host; /* or a scheme with "://" */
    size_t host_size;
    const char *path; /* what must follow, in lower case; "" anything that is a name */
    size_t path_size;
    size_t least; /* characters behind it */
    const char *what;
} links[] = {
    {FEATURE_TELEGRAM, SIZED("t.me"), SIZED("joinchat/"), 16, "invite"},
    {FEATURE_TELEGRAM, SIZED("t.me"), SIZED("+"), 7, "invite or number"},
    {FEATURE_TELEGRAM, SIZED("t.me"), SIZED("addstickers/"), 3, "stickers"},
    {FEATURE_TELEGRAM, SIZED("t.me"), SIZED(""), 4, "account"},
    {FEATURE_TELEGRAM, SIZED("telegram.me"), SIZED("joinchat/"), 16, "invite"},
    {FEATURE_TELEGRAM, SIZED("telegram.me"), SIZED(""), 4, "account"},
    {FEATURE_TELEGRAM, SIZED("telegram.dog"), SIZED(""), 4, "account"},
    {FEATURE_TELEGRAM, SIZED("tg://"), SIZED("resolve?domain="), 4, "account"},
    {FEATURE_TELEGRAM, SIZED("tg://"), SIZED("resolve?phone="), 7, "number"},
    {FEATURE_TELEGRAM, SIZED("tg://"), SIZED("join?invite="), 16, "invite"},
    {FEATURE_TELEGRAM, SIZED("tg://"), SIZED("user?id="), 4, "account"},
    {FEATURE_WHATSAPP, SIZED("wa.me"), SIZED("message/"), 6, "account"},
    {FEATURE_WHATSAPP, SIZED("wa.me"), SIZED(""), 7, "number"},
    {FEATURE_WHATSAPP, SIZED("chat.whatsapp.com"), SIZED("invite/"), 18, "invite"},
    {FEATURE_WHATSAPP, SIZED("chat.whatsapp.com"), SIZED(""), 18, "invite"},
    {FEATURE_WHATSAPP, SIZED("api.whatsapp.com"), SIZED("send?phone="), 7, "number"},
    {FEATURE_WHATSAPP, SIZED("api.whatsapp.com"), SIZED("send/?phone="), 7, "number"},
    {FEATURE_WHATSAPP, SIZED("whatsapp.com"), SIZED("channel/"), 16, "channel"},
    {FEATURE_WHATSAPP, SIZED("www.whatsapp.com"), SIZED("channel/"), 16, "channel"},
    {FEATURE_WHATSAPP, SIZED("whatsapp://"), SIZED("send?phone="), 7, "number"},
    {FEATURE_VIBER, SIZED("invite.viber.com"), SIZED("?g2="), 16, "invite"},
    {FEATURE_VIBER, SIZED("invite.viber.com"), SIZED("?g="), 16, "invite"},
    {FEATURE_VIBER, SIZED("chats.viber.com"), SIZED(""), 3, "community"},
    {FEATURE_VIBER, SIZED("viber://"), SIZED("chat?number="), 7, "number"},
    {FEATURE_VIBER, SIZED("viber://"), SIZED("add?number="), 7, "number"},
    {FEATURE_VIBER, SIZED("viber://"), SIZED("pa?chaturi="), 3, "account"},
};

/* Pages of the services themselves. */
static bool is_page(const char *name, size_t size)
{
    static const char *const pages[] = {"share", "iv",    "addtheme", "proxy",
                                        "socks", "login", "about",    "download"};

    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strlen(pages[i]) == size && strncasecmp(pages[i], name, size) == 0)
            return true;
    }
    return false;
}

static bool is_name(char c)
{
    return is_alnum((uint8_t)c) || c == '_' || c == '-' || c == '%' || c == '+' || c == '=';
}

/* The characters of a name at the beginning of `path`. */
static size_t name_size(const char *path, size_t size)
{
    size_t count = 0;

    while (count < size && is_name(path[count]))
        count++;
    return count;
}

static bool host_is(size_t link, const struct text *text, size_t begin, size_t host_begin, size_t host_end)
{
    const char *host = links[link].host;
    size_t size = links[link].host_size;

    if (host[size - 1] == '/') /* a scheme: from the URL's first byte to what counts as its path */
        return host_begin == host_end && host_begin - begin == size &&
               strncasecmp((const char *)text->data + begin, host, size) == 0;
    return host_end - host_begin == size &&
           strncasecmp((const char *)text->data + host_begin, host, size) == 0;
}

void messenger_look(struct finder *finder, const struct text *text, size_t begin, size_t host,
                    size_t host_end, size_t end)
{
    const char *path = (const char *)text->data + host_end;
    size_t left = end - host_end;

    if (host != host_end && left > 0 && *path == '/') {
        path++;
        left--;
    }
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        size_t prefix = links[i].path_size, name;
        char normal[PATH_MAX_SHOWN + 32], detail[64];
        struct found found = {
            .kind = links[i].kind, .rank = RANK_CONTEXT, .begin = begin, .normal = normal, .detail = detail};

        if (!host_is(i, text, begin, host, host_end) || left < prefix ||
            strncasecmp(path, links[i].path, prefix) != 0)
            continue;
        name = name_size(path + prefix, left - prefix);
        if (name < links[i].least || name > PATH_MAX_SHOWN || (prefix == 0 && is_page(path, name)) ||
            (strcmp(links[i].what, "number") == 0 &&
             !is_digit((uint8_t)path[prefix + (path[prefix] == '+' || path[prefix] == '%')])))
            continue;
        found.end = (size_t)((const uint8_t *)path - text->data) + prefix + name;
        snprintf(normal, sizeof normal, "%s%s%s%.*s", links[i].host, host == host_end ? "" : "/",
                 links[i].path, (int)name, path + prefix);
        snprintf(detail, sizeof detail, "{\"what\":\"%s\"}", links[i].what);
        finder->found(finder, text, &found);
        return;
    }
}

void examine_messenger_link(struct finder *finder, const struct text *text, size_t at)
{
    size_t host_end = at, end;

    if (is_alnum(text_at(text, at - 1)) || text_at(text, at - 1) == '.' || text_at(text, at - 1) == '-' ||
        text_at(text, at - 1) == '/' || text_at(text, at - 1) == '@')
        return;
    while (host_end < text->size && (is_alnum(text->data[host_end]) || text->data[host_end] == '.') &&
           host_end - at < 32)
        host_end++;
    if (text_at(text, host_end) != '/')
        return;
    for (end = host_end;
         end < text->size && end - at < PATH_MAX_SHOWN && text->data[end] > ' ' && text->data[end] < 0x7f;)
        end++;
    messenger_look(finder, text, at, at, host_end, end);
}
