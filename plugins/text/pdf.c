/*
 * pdf: the text of pages. qpdf reads the file, its cross references and its streams; the operators that show
 * text are read here, and characters become Unicode by a font's ToUnicode map or its encoding. [ISO
 * 32000-1: 9.4, 9.6.6, 9.10; Adobe TN 5014, 5411]
 *
 * Words are taken in the order of the page's description, which nearly always is that of reading. What stands
 * in a picture is none.
 */
#include "plugins/text/pdf_font.h"

#include <qpdf/qpdf-c.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 50000, FONTS_MAX = 512, OPERANDS_MAX = 64, NAME_SIZE = 64, FORMS_DEPTH = 6 };

struct font_slot {
    int id; /* of the object; 0: not one of its own */
    struct pdf_font *font;
};

struct pdf {
    qpdf_data qpdf;
    const struct document *document;
    struct output *output;
    struct font_slot fonts[FONTS_MAX];
    size_t font_count;
    unsigned depth;
};

/* ------------------------------------------------------------------ fonts */

static void read_unicode(struct pdf *pdf, qpdf_oh font, struct pdf_font *ret)
{
    qpdf_oh map = qpdf_oh_get_key(pdf->qpdf, font, "/ToUnicode");
    unsigned char *data = NULL;
    size_t size = 0;
    QPDF_BOOL filtered = QPDF_FALSE;

    if (!qpdf_oh_is_stream(pdf->qpdf, map))
        return;
    qpdf_oh_get_stream_data(pdf->qpdf, map, qpdf_dl_generalized, &filtered, &data, &size);
    if (data != NULL)
        pdf_font_map(ret, data, size);
    free(data);
}

static void read_differences(struct pdf *pdf, qpdf_oh encoding, struct pdf_font *ret)
{
    qpdf_oh list = qpdf_oh_get_key(pdf->qpdf, encoding, "/Differences");
    int count = qpdf_oh_is_array(pdf->qpdf, list) ? qpdf_oh_get_array_n_items(pdf->qpdf, list) : 0, code = 0;

    for (int i = 0; i < count && i < 1024; i++) {
        qpdf_oh item = qpdf_oh_get_array_item(pdf->qpdf, list, i);

        if (qpdf_oh_is_integer(pdf->qpdf, item))
            code = qpdf_oh_get_int_value_as_int(pdf->qpdf, item);
        else if (qpdf_oh_is_name(pdf->qpdf, item) && code >= 0 && code < 256)
            pdf_font_glyph(ret, (uint8_t)code++, qpdf_oh_get_name(pdf->qpdf, item) + 1);
        qpdf_oh_release(pdf->qpdf, item);
    }
}

static struct pdf_font *read_font(struct pdf *pdf, qpdf_oh object)
{
    qpdf_oh subtype = qpdf_oh_get_key(pdf->qpdf, object, "/Subtype");
    qpdf_oh encoding = qpdf_oh_get_key(pdf->qpdf, object, "/Encoding");
    bool wide =
        qpdf_oh_is_name(pdf->qpdf, subtype) && strcmp(qpdf_oh_get_name(pdf->qpdf, subtype), "/Type0") == 0;
    struct pdf_font *font = pdf_font_new(pdf->document->charsets, wide);

    if (font == NULL)
        return NULL;
    if (!wide && qpdf_oh_is_dictionary(pdf->qpdf, encoding))
        read_differences(pdf, encoding, font);
    read_unicode(pdf, object, font);
    return font;
}

static struct pdf_font *find_font(struct pdf *pdf, qpdf_oh resources, const char *name)
{
    qpdf_oh fonts = qpdf_oh_get_key_if_dict(pdf->qpdf, resources, "/Font");
    qpdf_oh object = qpdf_oh_get_key_if_dict(pdf->qpdf, fonts, name);
    int id;

    if (!qpdf_oh_is_dictionary(pdf->qpdf, object))
        return NULL;
    id = qpdf_oh_get_object_id(pdf->qpdf, object);
    for (size_t i = 0; i < pdf->font_count && id != 0; i++) {
        if (pdf->fonts[i].id == id)
            return pdf->fonts[i].font;
    }
    if (pdf->font_count == FONTS_MAX) {
        output_lacks(pdf->output, "the document has more fonts than are read");
        return NULL;
    }
    pdf->fonts[pdf->font_count] = (struct font_slot){id, read_font(pdf, object)};
    return pdf->fonts[pdf->font_count++].font;
}

/* ------------------------------------------------------------------ what a page says */

enum token {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_NAME,
    TOKEN_ARRAY,
    TOKEN_ARRAY_END,
    TOKEN_OPERATOR
};

struct operand {
    enum token kind;
    double number;
    size_t at, size; /* in `strings`: decoded bytes, or a name */
};

struct content {
    struct pdf *pdf;
    const uint8_t *data;
    size_t size, at;
    qpdf_oh resources;
    struct pdf_font *font;
    struct buf strings;
    struct operand operands[OPERANDS_MAX];
    size_t operand_count;
    char word[NAME_SIZE];
    bool in_array;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0;
}

static bool is_delimiter(uint8_t c)
{
    return c == 0 || strchr("()<>[]{}/%", c) != NULL;
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void read_escape(struct content *c)
{
    static const char names[] = "nrtbf", values[] = "\n\r\t\b\f";
    uint8_t next = c->at < c->size ? c->data[c->at++] : 0;
    const char *found = next != 0 ? strchr(names, next) : NULL;
    unsigned code = 0;

    if (next >= '0' && next <= '7') {
        code = next - '0';
        for (int i = 0; i < 2 && c->at < c->size && c->data[c->at] >= '0' && c->data[c->at] <= '7'; i++)
            code = code * 8 + (c->data[c->at++] - '0');
        buf_u8(&c->strings, (uint8_t)code);
    } else if (next == '\r' || next == '\n') {
        c->at += next == '\r' && c->at < c->size && c->data[c->at] == '\n';
    } else {
        buf_u8(&c->strings, found != NULL ? (uint8_t)values[found - names] : next);
    }
}

static void read_string(struct content *c)
{
    unsigned open = 1;

    while (c->at < c->size) {
        uint8_t here = c->data[c->at++];

        if (here == '\\') {
            read_escape(c);
            continue;
        }
        open += here == '(';
        open -= here == ')';
        if (open == 0)
            return;
        buf_u8(&c->strings, here);
    }
}

static void read_hex(struct content *c)
{
    int high = -1;

    while (c->at < c->size && c->data[c->at] != '>') {
        int digit = hex_digit(c->data[c->at++]);

        if (digit < 0)
            continue;
        if (high >= 0)
            buf_u8(&c->strings, (uint8_t)(high << 4 | digit));
        high = high >= 0 ? -1 : digit;
    }
    if (high >= 0)
        buf_u8(&c->strings, (uint8_t)(high << 4));
    c->at += c->at < c->size;
}

static void read_word(struct content *c)
{
    size_t length = 0;

    while (c->at < c->size && !is_space(c->data[c->at]) && !is_delimiter(c->data[c->at])) {
        if (length + 1 < NAME_SIZE)
            c->word[length++] = (char)c->data[c->at];
        c->at++;
    }
    c->word[length] = '\0';
}

static enum token next_token(struct content *c)
{
    uint8_t here;

    for (;;) {
        while (c->at < c->size && is_space(c->data[c->at]))
            c->at++;
        if (c->at >= c->size)
            return TOKEN_END;
        if (c->data[c->at] != '%')
            break;
        while (c->at < c->size && c->data[c->at] != '\n' && c->data[c->at] != '\r')
            c->at++;
    }
    here = c->data[c->at];
    if (here == '(' || (here == '<' && !(c->at + 1 < c->size && c->data[c->at + 1] == '<'))) {
        c->at++;
        (here == '(' ? read_string : read_hex)(c);
        return TOKEN_STRING;
    }
    if (here == '/' || here == '[' || here == ']')
        c->at++;
    if (here == '[' || here == ']')
        return here == '[' ? TOKEN_ARRAY : TOKEN_ARRAY_END;
    if (here != '/' && is_delimiter(here)) {
        c->at += here == '<' || here == '>' ? 2 : 1;
        c->word[0] = '\0';
        return TOKEN_NAME; /* of no use here: a dictionary's brackets */
    }
    read_word(c);
    if (here == '/')
        return TOKEN_NAME;
    return (here >= '0' && here <= '9') || here == '-' || here == '+' || here == '.' ? TOKEN_NUMBER
                                                                                     : TOKEN_OPERATOR;
}

static void push(struct content *c, enum token kind, size_t at)
{
    struct operand operand = {.kind = kind, .at = at};

    if (kind == TOKEN_NAME)
        buf_append(&c->strings, c->word, strlen(c->word));
    if (kind == TOKEN_NUMBER)
        operand.number = strtod(c->word, NULL);
    operand.size = c->strings.size - at;
    if (c->operand_count < OPERANDS_MAX)
        c->operands[c->operand_count++] = operand;
}

/* A gap in a line of more than a fifth of a letter's height is a blank. */
static void show_operand(struct content *c, const struct operand *operand)
{
    if (operand->kind == TOKEN_NUMBER && operand->number < -200)
        output_blank(c->pdf->output);
    if (operand->kind == TOKEN_STRING && !buf_failed(&c->strings))
        pdf_font_put(c->font, c->strings.data + operand->at, operand->size, c->pdf->output);
}

static void forget(struct content *c)
{
    c->operand_count = 0;
    c->strings.size = 0;
}

static bool number_is(const struct content *c, size_t from_end, double value)
{
    return c->operand_count >= from_end && c->operands[c->operand_count - from_end].number == value;
}

static void put_content(struct pdf *pdf, const uint8_t *data, size_t size, qpdf_oh resources);

/* A form is a page's part with resources of its own; anything else is a picture. */
static void draw(struct content *c, const char *name)
{
    struct pdf *pdf = c->pdf;
    qpdf_oh objects = qpdf_oh_get_key_if_dict(pdf->qpdf, c->resources, "/XObject"), form, dictionary, subtype,
            own;
    unsigned char *data = NULL;
    size_t size = 0;
    QPDF_BOOL filtered = QPDF_FALSE;

    form = qpdf_oh_get_key_if_dict(pdf->qpdf, objects, name);
    if (!qpdf_oh_is_stream(pdf->qpdf, form) || pdf->depth >= FORMS_DEPTH)
        return;
    dictionary = qpdf_oh_get_dict(pdf->qpdf, form);
    subtype = qpdf_oh_get_key(pdf->qpdf, dictionary, "/Subtype");
    if (!qpdf_oh_is_name(pdf->qpdf, subtype) || strcmp(qpdf_oh_get_name(pdf->qpdf, subtype), "/Form") != 0)
        return;
    own = qpdf_oh_get_key(pdf->qpdf, dictionary, "/Resources");
    qpdf_oh_get_stream_data(pdf->qpdf, form, qpdf_dl_generalized, &filtered, &data, &size);
    if (data != NULL)
        put_content(pdf, data, size, qpdf_oh_is_dictionary(pdf->qpdf, own) ? own : c->resources);
    free(data);
}

static void set_name(struct content *c, char name[NAME_SIZE + 1])
{
    const struct operand *operand = c->operand_count > 0 ? &c->operands[0] : NULL;
    size_t size =
        operand != NULL && operand->kind == TOKEN_NAME && operand->size < NAME_SIZE ? operand->size : 0;

    name[0] = '/';
    if (size > 0)
        memcpy(name + 1, c->strings.data + operand->at, size);
    name[1 + size] = '\0';
}

/* Inline pictures: bytes up to EI between blanks. */
static void skip_picture(struct content *c)
{
    while (c->at + 4 <= c->size && !(is_space(c->data[c->at]) && c->data[c->at + 1] == 'E' &&
                                     c->data[c->at + 2] == 'I' && is_space(c->data[c->at + 3])))
        c->at++;
    c->at = c->at + 4 <= c->size ? c->at + 3 : c->size;
}

static void operate(struct content *c)
{
    const char *op = c->word;
    char name[NAME_SIZE + 2];

    if (strcmp(op, "Tf") == 0) {
        set_name(c, name);
        c->font = find_font(c->pdf, c->resources, name);
    } else if (strcmp(op, "Do") == 0) {
        set_name(c, name);
        draw(c, name);
    } else if (strcmp(op, "ID") == 0) {
        skip_picture(c);
    } else if (strcmp(op, "T*") == 0 || strcmp(op, "'") == 0 || strcmp(op, "\"") == 0 ||
               strcmp(op, "BT") == 0 || strcmp(op, "Tm") == 0) {
        output_line(c->pdf->output);
    } else if (strcmp(op, "Td") == 0 || strcmp(op, "TD") == 0) {
        if (number_is(c, 1, 0))
            output_blank(c->pdf->output);
        else
            output_line(c->pdf->output);
    }
    if (strcmp(op, "Tj") == 0 || strcmp(op, "TJ") == 0 || strcmp(op, "'") == 0 || strcmp(op, "\"") == 0) {
        for (size_t i = 0; i < c->operand_count; i++)
            show_operand(c, &c->operands[i]);
    }
    forget(c);
}

static void put_content(struct pdf *pdf, const uint8_t *data, size_t size, qpdf_oh resources)
{
    struct content c = {.pdf = pdf, .data = data, .size = size, .resources = resources};

    pdf->depth++;
    while (!output_done(pdf->output) && output_spend(pdf->output, 4)) {
        size_t at = c.strings.size;
        enum token token = next_token(&c);

        if (token == TOKEN_END)
            break;
        if (token == TOKEN_OPERATOR)
            operate(&c);
        else if (token == TOKEN_ARRAY || token == TOKEN_ARRAY_END)
            c.in_array = token == TOKEN_ARRAY;
        else
            push(&c, token, at);
        /* A long array is shown piece by piece. */
        if (c.in_array && c.operand_count == OPERANDS_MAX) {
            for (size_t i = 0; i < c.operand_count; i++)
                show_operand(&c, &c.operands[i]);
            forget(&c);
        }
    }
    pdf->depth--;
    buf_finish(&c.strings);
}

/* ------------------------------------------------------------------ the document */

/* Resources may stand with one of the page's parents. */
static qpdf_oh page_resources(struct pdf *pdf, qpdf_oh page)
{
    qpdf_oh resources = qpdf_oh_get_key(pdf->qpdf, page, "/Resources");

    for (int i = 0; i < 32 && !qpdf_oh_is_dictionary(pdf->qpdf, resources); i++) {
        page = qpdf_oh_get_key_if_dict(pdf->qpdf, page, "/Parent");
        resources = qpdf_oh_get_key_if_dict(pdf->qpdf, page, "/Resources");
    }
    return resources;
}

static bool put_part(struct pdf *pdf, qpdf_oh stream, qpdf_oh resources)
{
    unsigned char *data = NULL;
    size_t size = 0;
    QPDF_BOOL filtered = QPDF_FALSE;

    if (qpdf_oh_is_stream(pdf->qpdf, stream))
        qpdf_oh_get_stream_data(pdf->qpdf, stream, qpdf_dl_generalized, &filtered, &data, &size);
    if (data != NULL)
        put_content(pdf, data, size, resources);
    free(data);
    return data != NULL;
}

/* Of a page that qpdf does not give as a whole, those streams that it gives. */
static void put_parts(struct pdf *pdf, qpdf_oh page)
{
    qpdf_oh contents = qpdf_oh_get_key_if_dict(pdf->qpdf, page, "/Contents"), resources = page_resources(pdf, page);
    int count = qpdf_oh_is_array(pdf->qpdf, contents) ? qpdf_oh_get_array_n_items(pdf->qpdf, contents) : 0;
    bool all = !qpdf_oh_is_stream(pdf->qpdf, contents) || put_part(pdf, contents, resources);

    for (int i = 0; i < count && i < PAGES_MAX; i++)
        all = put_part(pdf, qpdf_oh_get_array_item(pdf->qpdf, contents, i), resources) && all;
    if (!all)
        output_lacks(pdf->output, "a page of the document could not be read");
}

static void put_page(struct pdf *pdf, size_t number)
{
    qpdf_oh page = qpdf_get_page_n(pdf->qpdf, number);
    unsigned char *data = NULL;
    size_t size = 0;

    qpdf_oh_get_page_content_data(pdf->qpdf, page, &data, &size);
    if (data != NULL)
        put_content(pdf, data, size, page_resources(pdf, page));
    else
        put_parts(pdf, page);
    output_line(pdf->output);
    free(data);
}

static void put_pages(struct pdf *pdf)
{
    int count = qpdf_get_num_pages(pdf->qpdf);

    if (count < 0 || qpdf_has_error(pdf->qpdf)) {
        output_lacks(pdf->output, "the document's pages could not be read");
        count = count < 0 ? 0 : count;
    }
    if (count > PAGES_MAX)
        output_lacks(pdf->output, "the document has too many pages: the rest was not read");
    for (int i = 0; i < count && i < PAGES_MAX && !output_done(pdf->output); i++) {
        put_page(pdf, (size_t)i);
        /* What pages used, but for what they share, is given back. */
        qpdf_oh_release_all(pdf->qpdf);
    }
}

void extract_pdf(const struct document *document, struct output *output, const char **ret_format)
{
    struct pdf pdf = {.qpdf = qpdf_init(), .document = document, .output = output};
    QPDF_ERROR_CODE code;

    *ret_format = "pdf";
    qpdf_silence_errors(pdf.qpdf);
    qpdf_set_suppress_warnings(pdf.qpdf, QPDF_TRUE);
    code = qpdf_read_memory(pdf.qpdf, "document", (const char *)document->data, document->size, "");
    if ((code & QPDF_ERRORS) != 0) {
        qpdf_error error = qpdf_has_error(pdf.qpdf) ? qpdf_get_error(pdf.qpdf) : NULL;

        output_lacks(output, error != NULL && qpdf_get_error_code(pdf.qpdf, error) == qpdf_e_password
                                 ? "the document is encrypted with a password"
                                 : "the document is damaged: its pages could not be found");
    } else {
        put_pages(&pdf);
    }
    for (size_t i = 0; i < pdf.font_count; i++)
        pdf_font_free(pdf.fonts[i].font);
    qpdf_cleanup(&pdf.qpdf);
}
