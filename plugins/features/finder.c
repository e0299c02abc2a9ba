/* finder: names of kinds and ranks, and what stands near. */
#include "plugins/features/finder.h"

static const char *const kinds[FEATURE_KINDS] = {
    [FEATURE_EMAIL] = "email",
    [FEATURE_URL] = "url",
    [FEATURE_DOMAIN] = "domain",
    [FEATURE_IPV4] = "ipv4",
    [FEATURE_IPV6] = "ipv6",
    [FEATURE_MAC] = "mac",
    [FEATURE_PHONE] = "phone",
    [FEATURE_CARD] = "card",
    [FEATURE_IBAN] = "iban",
    [FEATURE_BITCOIN] = "bitcoin",
    [FEATURE_LITECOIN] = "litecoin",
    [FEATURE_DOGECOIN] = "dogecoin",
    [FEATURE_DASH] = "dash",
    [FEATURE_TRON] = "tron",
    [FEATURE_ETHEREUM] = "ethereum",
    [FEATURE_MONERO] = "monero",
    [FEATURE_WALLET_KEY] = "wallet_key",
    [FEATURE_SEED_PHRASE] = "seed_phrase",
    [FEATURE_PRIVATE_KEY] = "private_key",
    [FEATURE_PGP] = "pgp",
    [FEATURE_ONION] = "onion",
    [FEATURE_TELEGRAM] = "telegram",
    [FEATURE_WHATSAPP] = "whatsapp",
    [FEATURE_VIBER] = "viber",
    [FEATURE_GPS] = "gps",
    [FEATURE_IMEI] = "imei",
    [FEATURE_ICCID] = "iccid",
    [FEATURE_PERSONAL_NO] = "ge_personal_no",
    [FEATURE_LEGAL_ID] = "ge_legal_id",
    [FEATURE_PLATE] = "ge_plate",
    [FEATURE_MRZ] = "mrz",
    [FEATURE_CREDENTIAL] = "credential",
    [FEATURE_TOKEN] = "token",
    [FEATURE_USB_SERIAL] = "usb_serial",
    [FEATURE_USER_NAME] = "user_name",
};

static const char *const ranks[] = {
    [RANK_FORMAT] = "format",
    [RANK_CONTEXT] = "context",
    [RANK_CHECKSUM] = "checksum",
};

const char *feature_kind_name(enum feature_kind kind)
{
    return kinds[kind];
}

const char *feature_rank_name(enum feature_rank rank)
{
    return ranks[rank];
}

/* The first place that ends at `from` or later. */
static size_t first_place(const struct text *text, size_t from)
{
    size_t low = 0, high = text->place_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (text->places[middle].end < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool finder_near(const struct text *text, enum context group, size_t begin, size_t end)
{
    size_t from = begin > FEATURE_NEAR ? begin - FEATURE_NEAR : 0;

    for (size_t i = first_place(text, from); i < text->place_count; i++) {
        const struct place *place = &text->places[i];

        if (place->end > end + FEATURE_NEAR / 2)
            return false;
        if (place->group == group && place->begin >= from && (place->end <= begin || place->begin >= end))
            return true;
    }
    return false;
}
