/* filetype_version: apart from filetype.c, for a program that asks for it is not to be linked with all that
 * is needed there. */
#include "engine/scan/filetype.h"

#include <magic.h>
#include <stdio.h>

const char *filetype_version(void)
{
    static char version[32];
    int number = magic_version();

    snprintf(version, sizeof version, "libmagic %d.%02d", number / 100, number % 100);
    return version;
}
