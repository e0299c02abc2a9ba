/* test_filevault_keys: a password gives the volume's key by way of the plist, and nothing in a plist costs
 * more than is done. */
#include "engine/evidence/layer/layer_filevault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Made by tests/images/make-filevault.py: the password is "tsisana", of 1000 rounds. */
#define USER                                                                                                 \
    "AwAAABAAAAA5c7cg9c2qK4SMwm86/VfLEAAAABgAAACavB90Hfnii8/mW2i73KGXz59v8MGUSzgAAAAAAAAAAAAAAAAAAAAAAAAA"   \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAMA"   \
    "AAAKAAAA5/wuRuV93Jj6gx/D6AMAAAEAAAABAAAAAwAAAAoAAAARV0M0CxaVp706IYSHdK0cvlgS/43pF+Ckq2G3KtbRixFXQzQL"   \
    "FpWnvTohhId0rRy+WBL/jekX4KSrYbcq1tGLEVdDNAsWlae9OiGEh3StHL5YEv+N6RfgpKthtyrW0Ys="
#define VOLUME                                                                                               \
    "AgAAABgAAADKHrxuDALl1XTMfaY9dSKqQq13Pn9A8HkIAAAAAAAAAAAAAAABAAAAAAAAAAEAAAAIAAAAAAAAAAAAAAAAAAAAAAAA"   \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAMA"   \
    "AAAKAAAALn0sA6lQeuJl7PW1NWiFpTOTogKdJBOUmXJloaJa78YufSwDqVB64mXs9bU1aIWlM5OiAp0kE5SZcmWholrvxi59LAOp"   \
    "UHriZez1tTVohaUzk6ICnSQTlJlyZaGiWu/GAQAAAA=="
enum { ROUNDS_AT = 224 }; /* byte 168 in base64 */

static const uint8_t master[16] = {0x8f, 0x04, 0xce, 0x41, 0xab, 0x2e, 0x36, 0x35,
                                   0x47, 0x54, 0x0e, 0x17, 0x4a, 0x34, 0xee, 0xb2};

static struct filevault_plist make(const char *users, const char *keys)
{
    struct filevault_plist plist = {.data = malloc(4096)};

    plist.size = (size_t)snprintf(
        plist.data, 4096,
        "<dict><key>CryptoUsers</key><array>%s</array><key>WrappedVolumeKeys</key><array>%s</array></dict>",
        users, keys);
    return plist;
}

static int unlock(struct filevault_plist *plist, const char *password, uint8_t ret_key[16])
{
    const struct key key = {KEY_PASSWORD, (uint8_t *)(uintptr_t)password, strlen(password)};
    const struct layer_base base = {.count = 0};

    return filevault_unlock(plist, &key, &base, ret_key);
}

#define NAMED(name, data) "<key>" name "</key> <data ID=\"5\">\n" data "\n</data>"
#define A_USER            NAMED("PassphraseWrappedKEKStruct", USER)
#define A_KEY             NAMED("KEKWrappedVolumeKeyStruct", VOLUME)

Test(filevault_keys, a_password_opens_behind_what_has_none)
{
    struct filevault_plist plist =
        make(NAMED("PassphraseWrappedKEKStruct", "") NAMED("PassphraseWrappedKEKStruct", "A!B") A_USER,
             NAMED("KEKWrappedVolumeKeyStruct", "") A_KEY);
    uint8_t key[16] = {0};
    bool costly = true;

    cr_expect(filevault_has_users(&plist, &costly));
    cr_expect_not(costly);
    cr_expect_eq(unlock(&plist, "tsisana", key), 0);
    cr_expect_eq(memcmp(key, master, sizeof master), 0);
    cr_expect_eq(unlock(&plist, "tsisanb", key), -ENOKEY);
    cr_expect_eq(unlock(&plist, "", key), -ENOKEY);
    filevault_plist_finish(&plist);
}

Test(filevault_keys, what_has_no_keys_opens_nothing)
{
    struct filevault_plist plist = make(A_USER, ""), none = {0};
    uint8_t key[16];
    bool costly;

    cr_expect_eq(unlock(&plist, "tsisana", key), -ENOKEY);
    cr_expect_eq(unlock(&none, "tsisana", key), -ENOKEY);
    cr_expect_not(filevault_has_users(&none, &costly));
    filevault_plist_finish(&plist);
}

Test(filevault_keys, more_computing_than_is_done_is_not_done_and_told)
{
    struct filevault_plist plist = make(A_USER, A_KEY);
    uint8_t key[16];
    bool costly = false;

    memset(strstr(plist.data, USER) + ROUNDS_AT, '/', 4);
    cr_expect(filevault_has_users(&plist, &costly));
    cr_expect(costly);
    cr_expect_eq(unlock(&plist, "tsisana", key), -ENOKEY);
    filevault_plist_finish(&plist);
}

Test(filevault_keys, a_file_that_is_no_plist_of_this_volume_is_none)
{
    struct corestorage storage = {.key = {1, 2, 3}};
    uint8_t data[40] = "<?xml version=\"1.0\"?>";
    const struct key file = {KEY_FILE, data, sizeof data}, one = {KEY_FILE, data, 1};
    struct filevault_plist plist = {0};

    cr_expect_eq(filevault_root(&storage, &file, &plist), -EINVAL);
    cr_expect_eq(filevault_root(&storage, &one, &plist), -EINVAL);
    cr_expect_null(plist.data);
}
