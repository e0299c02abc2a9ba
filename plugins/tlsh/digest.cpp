/* digest: see digest.h. The only C++ of kvali: libtlsh has no interface in C. */
#include "plugins/tlsh/digest.h"

#include <cstring>
#include <tlsh.h>

static_assert(TLSH_SIZE == TLSH_STRING_LEN + 1, "libtlsh was built with other sizes");

struct tlsh_digest {
    Tlsh tlsh;
};

extern "C" struct tlsh_digest *tlsh_new(void)
try {
    return new tlsh_digest;
} catch (...) {
    return nullptr;
}

extern "C" void tlsh_free(struct tlsh_digest *digest)
{
    delete digest;
}

extern "C" int tlsh_update(struct tlsh_digest *digest, const void *data, size_t size)
try {
    digest->tlsh.update(static_cast<const unsigned char *>(data), static_cast<unsigned>(size));
    return 0;
} catch (...) {
    return -1;
}

extern "C" int tlsh_text(struct tlsh_digest *digest, char ret[TLSH_SIZE])
try {
    digest->tlsh.final();
    const char *text = digest->tlsh.getHash(ret, TLSH_SIZE);

    return text != nullptr && std::strlen(ret) == TLSH_SIZE - 1 ? 1 : 0;
} catch (...) {
    return -1;
}

extern "C" struct tlsh_digest *tlsh_read(const char *text)
try {
    tlsh_digest *digest = new tlsh_digest;

    if (std::strlen(text) == TLSH_SIZE - 1 && digest->tlsh.fromTlshStr(text) == 0)
        return digest;
    delete digest;
    return nullptr;
} catch (...) {
    return nullptr;
}

extern "C" int tlsh_distance(const struct tlsh_digest *a, const struct tlsh_digest *b)
{
    return a->tlsh.totalDiff(&b->tlsh);
}
