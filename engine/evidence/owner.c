/* owner: see owner.h. */
#include "engine/evidence/owner.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void owner_of_user(uint32_t uid, char *ret, size_t size)
{
    if (uid == 0)
        snprintf(ret, size, "root");
    else
        snprintf(ret, size, "%" PRIu32, uid);
}

void owner_of_sid(const char *sid, char *ret, size_t size)
{
    static const struct {
        const char *sid, *name;
    } known[] = {
        {"S-1-1-0", "Everyone"},
        {"S-1-5-18", "NT AUTHORITY\\SYSTEM"},
        {"S-1-5-19", "NT AUTHORITY\\LOCAL SERVICE"},
        {"S-1-5-20", "NT AUTHORITY\\NETWORK SERVICE"},
        {"S-1-5-32-544", "BUILTIN\\Administrators"},
        {"S-1-5-32-545", "BUILTIN\\Users"},
        {"S-1-5-32-546", "BUILTIN\\Guests"},
        {"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", "NT SERVICE\\TrustedInstaller"},
    };
    struct buf text = {0};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(sid, known[i].sid) == 0) {
            snprintf(ret, size, "%s", known[i].name);
            return;
        }
    }
    text_escape(&text, sid, strnlen(sid, 200));
    snprintf(ret, size, "%s", buf_cstr(&text));
    buf_finish(&text);
}
