/*
 * mail: messages [RFC 5322, RFC 2045-2047] and mailboxes of them [RFC 4155]. A header of known fields, a
 * blank line and a body of text, in parts where it says so.
 *
 * A message in parts ends with the line that closes them, one that is base64 with its last line: validated
 * when all parts are closed in order and what is base64 is only that. Any other text ends where no text goes
 * on, which does not prove that nothing is missing: complete. A mailbox is messages behind "From " lines; its
 * last message decides. Text is everywhere: without sender, date and one more field that only mail has, a
 * header is none.
 */
#include "plugins/carve/formats/encodedword.h"
#include "plugins/carve/formats/textline.h"
#include "plugins/carve/format.h"

#include <string.h>
#include <strings.h>

enum { FIELDS_MAX = 2000, PARTS_DEPTH_MAX = 8, BOUNDARY_MAX = 200, VALUE_MAX = 2048, BLANK_MAX = 4 };

enum field { FROM = 1 << 0, DATE = 1 << 1, OTHER = 1 << 2 };
enum coding { PLAIN, BASE64, EIGHT_BIT };

struct boundary {
    char text[BOUNDARY_MAX];
    size_t size;
};

/* What a header says. */
struct head {
    unsigned fields;
    enum coding coding;
    bool is_message; /* what follows the header is a header again */
    struct boundary boundary;
};

struct mail {
    struct reader *reader;
    struct carved *ret;
    uint64_t at;
    size_t base64_size; /* of the lines of a part in base64, when the first has come */
    uint64_t odd_at;    /* the first of them that is longer or shorter; UINT64_MAX */
    bool is_mailbox, unclosed;
    struct boundary stack[PARTS_DEPTH_MAX];
    size_t depth;
};

/* ------------------------------------------------------------------ headers */

/* The length of a field's name, with its colon; 0: the line has none. */
static size_t name_size(const struct textline *line)
{
    size_t i = 0;

    while (i < line->size && line->data[i] > 32 && line->data[i] < 127 && line->data[i] != ':')
        i++;
    return i > 0 && i < line->size && i < 80 && line->data[i] == ':' ? i + 1 : 0;
}

static void take_boundary(struct boundary *ret, const char *value, size_t size)
{
    const char *at = value, *end = value + size, *stop;

    ret->size = 0;
    if (size < 10 || strncasecmp(value, "multipart/", 10) != 0)
        return;
    while (at < end && (at[0] != ';' || strncasecmp(at + 1 + strspn(at + 1, " \t"), "boundary=", 9) != 0))
        at++;
    if (at == end)
        return;
    at = strchr(at, '=') + 1;
    if (*at == '"')
        stop = strchr(++at, '"');
    else
        stop = at + strcspn(at, " \t;");
    if (stop == NULL || stop == at || stop - at >= BOUNDARY_MAX)
        return;
    ret->size = (size_t)(stop - at);
    memcpy(ret->text, at, ret->size);
}

/* One field with its folded lines joined. */
static void take_field(struct mail *mail, struct head *head, const char *field, size_t size)
{
    static const char *const others[] = {
        "message-id:", "received:", "to:", "subject:", "reply-to:", "return-path:", "mime-version:"};
    const char *value = strchr(field, ':') + 1;
    char subject[2 * CARVED_TITLE_SIZE];

    value += strspn(value, " \t");
    size -= (size_t)(value - field);
    if (strncasecmp(field, "from:", 5) == 0)
        head->fields |= FROM;
    if (strncasecmp(field, "date:", 5) == 0)
        head->fields |= DATE;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strncasecmp(field, others[i], strlen(others[i])) == 0)
            head->fields |= OTHER;
    }
    if (strncasecmp(field, "subject:", 8) == 0 && mail->ret->title[0] == '\0')
        carved_title(mail->ret, subject, encodedword_decode(value, size, subject, sizeof subject), "UTF-8");
    if (strncasecmp(field, "content-type:", 13) == 0) {
        take_boundary(&head->boundary, value, size);
        head->is_message = size >= 14 && strncasecmp(value, "message/rfc822", 14) == 0;
    }
    if (strncasecmp(field, "content-transfer-encoding:", 26) == 0) {
        if (size >= 6 && strncasecmp(value, "base64", 6) == 0)
            head->coding = BASE64;
        else if (size >= 4 && (strncasecmp(value, "8bit", 4) == 0 || strncasecmp(value, "binary", 6) == 0))
            head->coding = EIGHT_BIT;
    }
}

/* Fields to a blank line, which is taken too. False: a line is none, at mail->at. */
static bool take_head(struct mail *mail, struct head *head)
{
    char field[VALUE_MAX + 1];
    size_t size = 0;

    *head = (struct head){.fields = 0};
    for (int i = 0; i < FIELDS_MAX; i++) {
        struct textline line;
        size_t some;

        if (!textline_at(mail->reader, mail->at, &line) || line.open)
            return false;
        if (size > 0 && (line.size == 0 || (line.data[0] != ' ' && line.data[0] != '\t'))) {
            field[size] = '\0';
            take_field(mail, head, field, size);
            size = 0;
        }
        if (line.size > 0 && size == 0 && name_size(&line) == 0)
            return false;
        some = line.size < VALUE_MAX - size ? line.size : VALUE_MAX - size;
        memcpy(field + size, line.data, some);
        size += some;
        mail->at += line.whole;
        if (line.size == 0)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ bodies */

static bool is_base64(const struct textline *line)
{
    /* a bit a character: + / 0-9 = A-Z a-z */
    static const uint32_t set[8] = {0, 0x23ff8800, 0x07fffffe, 0x07fffffe};
    size_t size = line->size;
    uint32_t all = 1;

    while (size > 0 && (line->data[size - 1] == ' ' || line->data[size - 1] == '\t'))
        size--;
    for (size_t i = 0; i < size; i++)
        all &= set[line->data[i] >> 5] >> (line->data[i] & 31);
    return (all & 1) != 0;
}

/* "From somebody Thu Jan  1 00:00:00 1970": what separates the messages of a mailbox. */
static bool is_from_line(const struct textline *line)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const uint8_t *at = line->data, *end = at + line->size;
    const uint8_t *date;

    if (line->open || line->size < 5 + 1 + 25 || memcmp(at, "From ", 5) != 0)
        return false;
    for (date = at + 5; end - date >= 25; date++) { /* " Www Mmm dd hh:mm:ss yyyy", a zone may be there */
        char day[4] = {(char)date[1], (char)date[2], (char)date[3], 0};
        char month[4] = {(char)date[5], (char)date[6], (char)date[7], 0};

        if (date[0] == ' ' && date[4] == ' ' && date[8] == ' ' && date[14] == ':' &&
            strstr(days, day) != NULL && strstr(months, month) != NULL)
            return true;
    }
    return false;
}

enum delimiter { NO_DELIMITER, NEXT_PART, LAST_PART };

/* Is the line a boundary of any open body? *ret_level: whose. */
static enum delimiter delimiter(const struct mail *mail, const struct textline *line, size_t *ret_level)
{
    if (line->size < 3 || memcmp(line->data, "--", 2) != 0)
        return NO_DELIMITER;
    for (size_t i = mail->depth; i > 0; i--) {
        const struct boundary *boundary = &mail->stack[i - 1];
        const uint8_t *rest = line->data + 2 + boundary->size;
        size_t left = line->size - 2;

        if (left < boundary->size || memcmp(line->data + 2, boundary->text, boundary->size) != 0)
            continue;
        left -= boundary->size;
        while (left > 0 && (rest[left - 1] == ' ' || rest[left - 1] == '\t'))
            left--;
        *ret_level = i - 1;
        if (left == 0)
            return NEXT_PART;
        if (left == 2 && memcmp(rest, "--", 2) == 0)
            return LAST_PART;
    }
    return NO_DELIMITER;
}

static bool push(struct mail *mail, const struct head *head)
{
    if (head->boundary.size == 0)
        return true;
    if (mail->depth == PARTS_DEPTH_MAX)
        return false;
    mail->stack[mail->depth++] = head->boundary;
    return true;
}

/* A part's header, and that of the message that it may be. */
static bool begin_part(struct mail *mail, size_t level, enum coding *ret_coding)
{
    struct head head;

    mail->unclosed |= mail->depth > level + 1;
    mail->depth = level + 1;
    do {
        if (!take_head(mail, &head) || !push(mail, &head))
            return false;
    } while (head.is_message && head.coding != BASE64);
    mail->base64_size = 0;
    mail->odd_at = UINT64_MAX;
    *ret_coding = head.coding;
    return true;
}

/* How a message ends. */
enum end { END_CLOSED, END_BASE64, END_TEXT, END_NEXT, END_CUT };

static void skip_blank(struct mail *mail)
{
    struct textline line;

    for (int i = 0;
         i < BLANK_MAX && textline_at(mail->reader, mail->at, &line) && line.size == 0 && !line.open; i++)
        mail->at += line.whole;
}

/* Text that does not go on: a file's last line may be without an end. */
static enum end stop(struct mail *mail, const struct textline *line)
{
    if (line != NULL && line->open_at_nul)
        mail->at += line->size;
    return mail->depth > 0 ? END_CUT : END_TEXT;
}

/* Lines of base64 to the end of a message that is nothing else. The last is shorter than the others, has
 * padding, or is followed by a blank one; otherwise more may be missing. */
static enum end take_base64(struct mail *mail)
{
    size_t first = 0, last = 0;
    bool ended = false;
    struct textline line;

    while (textline_at(mail->reader, mail->at, &line) && is_base64(&line) && line.size > 0 && !ended &&
           (!line.open || line.open_at_nul)) {
        first = first == 0 ? line.size : first;
        last = line.size;
        ended = last % 4 == 0 && (line.data[last - 1] == '=' || (last < first && !line.open));
        mail->at += line.whole;
    }
    if (textline_at(mail->reader, mail->at, &line) && line.size == 0 && !line.open)
        ended |= last > 0;
    skip_blank(mail);
    if (mail->is_mailbox && textline_at(mail->reader, mail->at, &line) && is_from_line(&line))
        return END_NEXT;
    return ended ? END_BASE64 : END_TEXT;
}

/* What is not base64 may have begun within the line of another size before it. */
static enum end cut_base64(struct mail *mail)
{
    mail->at = mail->odd_at < mail->at ? mail->odd_at : mail->at;
    return END_CUT;
}

/* A boundary that closes a body. */
static bool close_parts(struct mail *mail, size_t level)
{
    mail->unclosed |= mail->depth > level + 1;
    mail->depth = level;
    if (level == 0)
        skip_blank(mail);
    return level == 0;
}

/* A line of a part in base64: all are of one size, but for the last. False: it is none, or not the next. */
static bool take_base64_line(struct mail *mail, const struct textline *line)
{
    if (!is_base64(line))
        return false;
    if (mail->base64_size == 0)
        mail->base64_size = line->size;
    else if (line->size > 0 && line->size != mail->base64_size && mail->odd_at == UINT64_MAX)
        mail->odd_at = mail->at;
    return true;
}

/* A mailbox's next mail; where the one before has not closed its parts, something is missing. */
static enum end next_mail(struct mail *mail)
{
    mail->unclosed |= mail->depth > 0;
    return END_NEXT;
}

/* No more mail follows. Text behind parts that are closed may be anybody's: it is not taken. */
static enum end end_text(struct mail *mail, uint64_t closed_at, const struct textline *line)
{
    if (closed_at == UINT64_MAX)
        return stop(mail, line);
    mail->at = closed_at;
    return END_CLOSED;
}

/* The body from mail->at on. In a mailbox more text may follow the line that closes its parts. */
static enum end take_body(struct mail *mail, enum coding coding)
{
    uint64_t closed_at = UINT64_MAX;
    struct textline line;
    bool blank = true;
    size_t level = 0;

    while (textline_at(mail->reader, mail->at, &line)) {
        enum delimiter kind = delimiter(mail, &line, &level);

        if (mail->is_mailbox && blank && is_from_line(&line))
            return next_mail(mail);
        blank = line.size == 0;
        if (line.open && kind == LAST_PART && level == 0)
            line.open = !line.open_at_nul;
        if (line.open || (!line.is_utf8 && coding != EIGHT_BIT))
            return coding == BASE64 ? cut_base64(mail)
                                    : end_text(mail, closed_at, mail->depth > 0 ? NULL : &line);
        if (kind == NO_DELIMITER && coding == BASE64 && !take_base64_line(mail, &line))
            return cut_base64(mail);
        mail->at += line.whole;
        if (kind == NEXT_PART && !begin_part(mail, level, &coding))
            return END_CUT;
        if (kind == LAST_PART) {
            coding = PLAIN;
            if (!close_parts(mail, level))
                continue;
            if (!mail->is_mailbox)
                return END_CLOSED;
            closed_at = mail->at;
            blank = true;
        }
    }
    return end_text(mail, closed_at, NULL);
}

/* ------------------------------------------------------------------ a message, a mailbox */

static bool take_message(struct mail *mail, enum end *ret_end)
{
    struct head head;

    mail->depth = 0;
    if (!take_head(mail, &head) || head.fields != (FROM | DATE | OTHER) || !push(mail, &head))
        return false;
    if (head.boundary.size == 0 && head.coding == BASE64)
        *ret_end = take_base64(mail);
    else
        *ret_end = take_body(mail, head.boundary.size > 0 ? PLAIN : head.coding);
    return true;
}

static enum carve_grade judge(struct mail *mail, enum end end)
{
    uint64_t size = mail->at < reader_size(mail->reader) ? mail->at : reader_size(mail->reader);

    if (reader_spent(mail->reader))
        return carved_partial(mail->ret, size, "the effort allowed is spent");
    if (end == END_CUT)
        return carved_partial(mail->ret, size, "the line at byte %llu is cut or not part of a mail",
                              (unsigned long long)size);
    return carved_whole(mail->ret, end == END_TEXT || mail->unclosed ? CARVE_COMPLETE : CARVE_VALIDATED,
                        size);
}

static enum carve_grade examine_mail(struct reader *reader, struct carved *ret)
{
    struct mail mail = {.reader = reader, .ret = ret};
    enum end end;

    if (!take_message(&mail, &end)) {
        ret->title[0] = '\0';
        return CARVE_NONE;
    }
    return judge(&mail, end);
}

static enum carve_grade examine_mailbox(struct reader *reader, struct carved *ret)
{
    struct mail mail = {.reader = reader, .ret = ret, .is_mailbox = true};
    struct textline line;
    enum end end = END_NEXT;
    uint64_t messages = 0;

    while (textline_at(reader, mail.at, &line) && is_from_line(&line)) {
        uint64_t begin = mail.at;

        mail.at += line.whole;
        if (!take_message(&mail, &end)) {
            mail.at = begin;
            end = END_CUT;
            break;
        }
        messages++;
        if (end != END_NEXT && end != END_CLOSED && end != END_BASE64)
            break;
    }
    if (messages == 0) {
        ret->title[0] = '\0';
        return CARVE_NONE;
    }
    return judge(&mail, end);
}

static const struct carve_format mail_format = {"mail", examine_mail};
static const struct carve_format mailbox_format = {"mailbox", examine_mailbox};
const struct carve_format *const carve_mail[] = {&mail_format, &mailbox_format, NULL};
