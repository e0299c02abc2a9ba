/* trouble: see trouble.h. */
#include "cases/trouble.h"

void trouble_add(struct trouble *trouble, const char *format, ...)
{
    va_list args;
    if (trouble->count++ >= TROUBLES_MAX)
        return;
    if (trouble->text.size)
        buf_u8(&trouble->text, '\n');
    va_start(args, format);
    buf_vprintf(&trouble->text, format, args);
    va_end(args);
}

const char *trouble_text(struct trouble *trouble)
{
    if (trouble->count > TROUBLES_MAX) {
        buf_printf(&trouble->text, "\nand %zu more", trouble->count - TROUBLES_MAX);
        trouble->count = TROUBLES_MAX;
    }
    return trouble->count && trouble->text.size == 0 ? "out of memory" : buf_cstr(&trouble->text);
}

void trouble_finish(struct trouble *trouble)
{
    buf_finish(&trouble->text);
    trouble->count = 0;
}
