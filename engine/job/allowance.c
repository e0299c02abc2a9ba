#include "engine/job/allowance.h"

#define SECOND      INT64_C(1000000000)
#define DAY_SECONDS 86400

/* libtsk compares names that are there twice with all before them: 27 s if it were all of 200,000 names
 * (measured). A slow machine gets five times that. */
#define MEASURED_NAMES   200000.0
#define MEASURED_SECONDS 27.0
#define MARGIN           5.0
/* A walk without large folders; limit.stream_seconds may raise it. */
enum { WALK_SECONDS_MIN = 4 * 3600, WALK_STREAMS = 4, WALK_SECONDS_MAX = 10 * DAY_SECONDS };

#define HOLE_BYTES_A_SECOND (UINT64_C(64) << 20)
#define HOLES_OF_MEDIUM     12

#define STALL_MIN (5 * SECOND)

double allowance_folder(uint64_t names)
{
    double share = (double)names / MEASURED_NAMES, seconds = share * share * MEASURED_SECONDS * MARGIN;
    return seconds < DAY_SECONDS ? seconds : DAY_SECONDS;
}

int64_t allowance_silence(uint64_t hang, uint64_t names)
{
    double seconds = (double)hang + allowance_folder(names);
    return seconds < DAY_SECONDS ? (int64_t)(seconds * (double)SECOND) : DAY_SECONDS * SECOND;
}

int64_t allowance_walk(uint64_t stream, double folders)
{
    uint64_t longest = WALK_SECONDS_MAX - DAY_SECONDS;
    uint64_t seconds = stream > longest / WALK_STREAMS ? longest : stream * WALK_STREAMS;
    if (seconds < WALK_SECONDS_MIN)
        seconds = WALK_SECONDS_MIN;
    seconds += folders < DAY_SECONDS ? (uint64_t)folders : DAY_SECONDS;
    return (int64_t)seconds * SECOND;
}

int64_t allowance_content(uint64_t stream, uint64_t bytes, uint64_t medium, bool whole, uint64_t children)
{
    uint64_t longest = WALK_SECONDS_MAX, stored = medium > 0 && medium < bytes ? medium : bytes;
    uint64_t hole = (bytes - stored) / HOLE_BYTES_A_SECOND;
    if (stream > longest)
        stream = longest;
    uint64_t most = stream * (whole ? HOLES_OF_MEDIUM : 1);
    uint64_t seconds = stream + stored / ALLOWANCE_SLOW_BYTES + children / ALLOWANCE_SLOW_BYTES + (hole < most ? hole : most);
    return (int64_t)(seconds < longest ? seconds : longest) * SECOND;
}

int64_t allowance_stall(int64_t last, int64_t now)
{
    return last > 0 && now - last > STALL_MIN ? now - last - SECOND : 0;
}
