/*
 * sign_token: a key that never leaves its card or token, by OpenSSL's engine "pkcs11" (Debian:
 * libengine-pkcs11-openssl). OpenSSL 3 calls engines deprecated; Debian 12 has no provider for PKCS#11
 * instead.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "cases/sign_private.h"

#include <errno.h>
#include <openssl/engine.h>
#include <openssl/ui.h>
#include <stdlib.h>
#include <string.h>

/* The token's certificate; none is no error, for it may be given as a file. */
static X509 *load_cert(ENGINE *engine, const char *address)
{
    struct {
        const char *address;
        X509 *cert;
    } parameters = {.address = address};
    return ENGINE_ctrl_cmd(engine, "LOAD_CERT_CTRL", 0, &parameters, NULL, 0) == 1 ? parameters.cert : NULL;
}

static int set_pin(ENGINE *engine, const struct sign_source *source, struct why *why)
{
    char *asked = NULL;
    const char *pin = source->passphrase;
    if (!pin && source->ask)
        pin = asked = source->ask("the token's PIN");
    int code = pin && ENGINE_ctrl_cmd_string(engine, "PIN", pin, 0) == 1
                   ? 0
                   : sign_why(why, -EKEYREJECTED, "%s: no PIN", source->key);
    if (asked)
        OPENSSL_cleanse(asked, strlen(asked));
    free(asked);
    return code;
}

int sign_token_open(struct sign_key *key, const struct sign_source *source, struct why *why)
{
    ENGINE_load_dynamic();
    ENGINE *engine = ENGINE_by_id("pkcs11");
    if (!engine || ENGINE_init(engine) != 1) {
        ENGINE_free(engine);
        return sign_why(why, -ENOPKG,
                        "OpenSSL has no working engine \"pkcs11\": install libengine-pkcs11-openssl and set "
                        "PKCS11_MODULE_PATH to the token's module");
    }
    int code = set_pin(engine, source, why);
    if (code == 0)
        key->key = ENGINE_load_private_key(engine, source->key, NULL, NULL);
    if (code == 0 && !key->key)
        code = sign_why(why, -EKEYREJECTED, "%s: the token gives no such key", source->key);
    if (code == 0 && !source->cert) {
        key->cert = load_cert(engine, source->key);
        if (!key->cert)
            code = sign_why(why, -EKEYREJECTED,
                            "%s: the token has no certificate for it: give it with --cert", source->key);
    }
    ENGINE_finish(engine);
    ENGINE_free(engine);
    return code;
}
