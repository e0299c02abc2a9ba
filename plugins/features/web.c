/*
 * web: addresses of mail [RFC 5321, 5322], of the web [RFC 3986], and host names in them [RFC 1035], as far
 * as people and programs write them: no quoted local parts, no comments.
 */
#include "plugins/features/examiners.h"

#include "engine/base/buf.h"

#include <string.h>
#include <strings.h>

enum { LOCAL_MAX = 64, DOMAIN_MAX = 253, LABEL_MAX = 63 };

static bool is_local(uint8_t c)
{
    return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%';
}

static bool is_host(uint8_t c)
{
    return is_alnum(c) || c == '-' || c == '.';
}

/* Labels of letters, digits and inner '-', at least two. */
static bool has_labels(const struct text *text, size_t begin, size_t end)
{
    size_t label = begin, count = 0;

    for (size_t i = begin; i <= end; i++) {
        if (i < end && text->data[i] != '.')
            continue;
        if (i == label || i - label > LABEL_MAX || text->data[label] == '-' || text->data[i - 1] == '-')
            return false;
        label = i + 1;
        count++;
    }
    return count >= 2;
}

static size_t last_dot(const struct text *text, size_t begin, size_t end)
{
    for (size_t i = end; i > begin; i--) {
        if (text->data[i - 1] == '.')
            return i - 1;
    }
    return end;
}

bool web_is_domain(const struct tables *tables, const struct text *text, size_t begin, size_t end)
{
    size_t dot = last_dot(text, begin, end);

    return end - begin <= DOMAIN_MAX && dot != end && has_labels(text, begin, end) &&
           tables_tld(tables, text->data + dot + 1, end - dot - 1) != NULL;
}

/* The end of a host name that begins here, where its last label or the one before is a top-level domain
 * ("a.com.Then" ends before the second dot); `begin` when it is none. */
static size_t domain_end(const struct tables *tables, const struct text *text, size_t begin)
{
    size_t end = begin;

    while (end < text->size && end - begin <= DOMAIN_MAX && is_host(text->data[end]))
        end++;
    while (end > begin && !is_alnum(text->data[end - 1]))
        end--;
    for (int tries = 0; tries < 2; tries++) {
        if (end == begin || web_is_domain(tables, text, begin, end))
            return end;
        size_t dot = last_dot(text, begin, end);
        end = dot == end ? begin : dot;
    }
    return begin;
}

/* Lower case, for what means the same in both. */
static const char *lowered(const struct text *text, size_t begin, size_t end, size_t lower_end, char *ret,
                           size_t room)
{
    size_t size = end - begin < room - 1 ? end - begin : room - 1;

    for (size_t i = 0; i < size; i++)
        ret[i] = (char)(begin + i < lower_end ? to_lower(text->data[begin + i]) : text->data[begin + i]);
    ret[size] = '\0';
    return ret;
}

static void tell_domain(struct finder *finder, const struct text *text, size_t begin, size_t end)
{
    char normal[DOMAIN_MAX + 2];
    const struct found found = {.kind = FEATURE_DOMAIN,
                                .begin = begin,
                                .end = end,
                                .normal = lowered(text, begin, end, end, normal, sizeof normal)};

    finder->found(finder, text, &found);
}

/* "user:password@host" of a URL is no address of mail. */
static bool is_in_url(const struct text *text, size_t begin)
{
    size_t i = begin;

    while (i > 0 && begin - i < LOCAL_MAX && (is_local(text->data[i - 1]) || text->data[i - 1] == ':'))
        i--;
    return text_at(text, i - 1) == '/' && text_at(text, i - 2) == '/' && text_at(text, i - 3) == ':';
}

void examine_email(struct finder *finder, const struct text *text, size_t at)
{
    char normal[LOCAL_MAX + DOMAIN_MAX + 2];
    size_t begin = at, end = domain_end(finder->tables, text, at + 1);
    struct found found = {.kind = FEATURE_EMAIL};

    while (begin > 0 && is_local(text->data[begin - 1]) && at - begin <= LOCAL_MAX)
        begin--;
    while (begin < at && (text->data[begin] == '.' || text->data[begin] == '-' || text->data[begin] == '+'))
        begin++;
    /* What an encoded "=3D" or "%20" leaves before an address is no part of it. */
    if (at - begin > 3 && text->data[begin] == '%' && is_hex(text->data[begin + 1]) &&
        is_hex(text->data[begin + 2]))
        begin += 3;
    if (begin == at || at - begin > LOCAL_MAX || end <= at + 1 || text->data[at - 1] == '.' ||
        text_at(text, end) == '@' || text_at(text, end) == '_' || is_in_url(text, begin))
        return;
    for (size_t i = begin + 1; i < at; i++) {
        if (text->data[i] == '.' && text->data[i - 1] == '.')
            return;
    }
    found.begin = begin;
    found.end = end;
    found.normal = lowered(text, begin, end, end, normal, sizeof normal);
    finder->found(finder, text, &found);
    tell_domain(finder, text, at + 1, end);
}

/* ------------------------------------------------------------------ URLs */

static const char *const schemes[] = {
    "https", "http",     "ftp",        "ftps",     "sftp",    "ssh",  "smb", "ws",    "wss",   "rtsp",
    "rtmp",  "ldap",     "nfs",        "telnet",   "rdp",     "vnc",  "irc", "mysql", "redis", "tg",
    "viber", "whatsapp", "postgresql", "postgres", "mongodb", "amqp", "svn", "git"};

enum { SCHEME_MAX = 10 };

/* Where the scheme begins that ends at the colon; `colon` when it is none that we know. */
static size_t scheme_begin(const struct text *text, size_t colon)
{
    size_t size = 0;

    while (size <= SCHEME_MAX && is_alnum(text_at(text, colon - size - 1)))
        size++;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0] && size > 0; i++) {
        if (to_lower(text->data[colon - size]) == (uint8_t)schemes[i][0] && strlen(schemes[i]) == size &&
            strncasecmp((const char *)text->data + colon - size, schemes[i], size) == 0)
            return colon - size;
    }
    return colon;
}

static bool is_url(uint8_t c)
{
    static const bool not [256] = {['"'] = true, ['<'] = true, ['>'] = true, ['\\'] = true, ['^'] = true,
                                   ['`'] = true, ['{'] = true, ['}'] = true, ['|'] = true};

    return c > ' ' && c < 0x7f && !not [c];
}

static size_t url_end(const struct text *text, size_t begin)
{
    size_t end = begin, open = 0;

    for (; end < text->size && end - begin < FEATURE_MAX && is_url(text->data[end]); end++) {
        open += text->data[end] == '(';
        if (text->data[end] == ')' && open-- == 0)
            break;
        if (text->data[end] == '\'' && text_at(text, begin - 1) == '\'')
            break;
    }
    while (end > begin && strchr(".,;:!?'*", text->data[end - 1]) != NULL)
        end--;
    return end;
}

/* What a URL's authority consists of. */
struct authority {
    size_t user, host, host_end, end; /* user == host: no "user:password@" */
};

static bool read_authority(const struct tables *tables, const struct text *text, size_t begin, size_t end,
                           struct authority *ret)
{
    struct authority a = {begin, begin, begin, begin};

    for (; a.end < end && text->data[a.end] != '/' && text->data[a.end] != '?' && text->data[a.end] != '#';
         a.end++) {
        if (text->data[a.end] == '@')
            a.host = a.end + 1;
    }
    a.host_end = a.host;
    while (a.host_end < a.end && is_host(text->data[a.host_end]))
        a.host_end++;
    while (a.host_end > a.host && text->data[a.host_end - 1] == '.')
        a.host_end--;
    *ret = a;
    if (a.host == a.host_end)
        return false;
    if (web_is_domain(tables, text, a.host, a.host_end) || network_is_ipv4(text, a.host, a.host_end))
        return true;
    /* A name within a network counts with a port or a path only. */
    return a.host_end - a.host >= 3 && is_letter(text->data[a.host]) &&
           memchr(text->data + a.host, '.', a.host_end - a.host) == NULL &&
           (text_at(text, a.host_end) == ':' || text_at(text, a.host_end) == '/') && end - a.host_end > 2;
}

static void tell_user(struct finder *finder, const struct text *text, const struct authority *a)
{
    const uint8_t *colon = memchr(text->data + a->user, ':', a->host - a->user);
    struct found found = {
        .kind = FEATURE_CREDENTIAL, .rank = RANK_CONTEXT, .begin = a->user, .end = a->host - 1};

    if (colon != NULL && colon > text->data + a->user && colon + 1 < text->data + a->host - 1 &&
        text->data[a->user] != '$' && text->data[a->user] != '{' && text->data[a->user] != '%')
        finder->found(finder, text, &found);
}

void examine_url(struct finder *finder, const struct text *text, size_t at)
{
    char normal[FEATURE_MAX + 1];
    size_t begin = scheme_begin(text, at), end = url_end(text, begin);
    struct found found = {.kind = FEATURE_URL, .begin = begin, .end = end, .normal = normal};
    struct authority a;

    if (begin == at || end <= at + 3)
        return;
    messenger_look(finder, text, begin, at + 3, at + 3, end);
    if (!read_authority(finder->tables, text, at + 3, end, &a))
        return;
    lowered(text, begin, end, a.user == a.host ? a.host_end : at, normal, sizeof normal);
    finder->found(finder, text, &found);
    if (web_is_domain(finder->tables, text, a.host, a.host_end))
        tell_domain(finder, text, a.host, a.host_end);
    if (a.user != a.host)
        tell_user(finder, text, &a);
    messenger_look(finder, text, begin, a.host, a.host_end, end);
}

void examine_bare_domain(struct finder *finder, const struct text *text, size_t at)
{
    size_t begin = at, end = at + 1;

    while (begin > 0 && is_host(text->data[begin - 1]) && at - begin <= DOMAIN_MAX)
        begin--;
    while (begin < at && !is_alnum(text->data[begin]))
        begin++;
    while (end < text->size && is_letter(text->data[end]) && end - at < LABEL_MAX)
        end++;
    if (begin == at || at - begin < 2 || is_alnum(text_at(text, end)) || text_at(text, end) == '_' ||
        text_at(text, end) == '(' || (text_at(text, end) == '.' && is_alnum(text_at(text, end + 1))) ||
        text_at(text, end) == '-' || text_at(text, begin - 1) == '_' || text_at(text, begin - 1) == '$')
        return;
    if (web_is_domain(finder->tables, text, begin, end))
        tell_domain(finder, text, begin, end);
}
