/* picture: the bounds that every format keeps. */
#include "plugins/thumbnail/picture.h"

#include <stdio.h>

bool picture_fits(struct picture *picture)
{
    if (picture->width > 0 && picture->height > 0 && picture->width <= PICTURE_SIDE_MAX &&
        picture->height <= PICTURE_SIDE_MAX &&
        (uint64_t)picture->width * picture->height <= PICTURE_PIXELS_MAX)
        return true;
    picture->refused = true;
    snprintf(picture->why, sizeof picture->why, "%u x %u pixels", picture->width, picture->height);
    return false;
}
