/* SHA-256: the standard's vectors, fields that can not run into each other, comparing secrets. */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit.h"

/* FIPS 180-2, appendix B, and the empty message. */
static void test_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        const char *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < HM_ARRAY_LEN(cases); i++) {
        char hex[HM_SHA256_HEX];
        hm_sha256_hex(cases[i].data, strlen(cases[i].data), hex);
        assert_string_equal(hex, cases[i].hex);
        struct hm_sha256 *h = hm_sha256_new();
        for (const char *p = cases[i].data; *p != '\0'; p++) /* piece by piece */
            hm_sha256_add(h, p, 1);
        hm_sha256_take(h, hex);
        assert_string_equal(hex, cases[i].hex);
    }

    char *million = hm_xmalloc(1000000);
    char hex[HM_SHA256_HEX];
    memset(million, 'a', 1000000);
    hm_sha256_hex(million, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void test_nul_bytes_count(void **state)
{
    (void)state;
    char one[HM_SHA256_HEX];
    char two[HM_SHA256_HEX];
    hm_sha256_hex("a\0b", 3, one);
    hm_sha256_hex("a\0c", 3, two);
    assert_string_not_equal(one, two);
}

/* The digest of a list of fields; "-" stands for NULL. */
static void hash_fields(const char *const fields[], char hex[HM_SHA256_HEX])
{
    struct hm_sha256 *h = hm_sha256_new();
    for (size_t i = 0; fields[i] != NULL; i++)
        hm_sha256_add_field(h, strcmp(fields[i], "-") == 0 ? NULL : fields[i]);
    hm_sha256_take(h, hex);
}

static void test_fields_can_not_run_into_each_other(void **state)
{
    (void)state;
    static const char *const lists[][4] = {
        {NULL},
        {"", NULL},
        {"-", NULL},
        {"", "", NULL},
        {"-", "-", NULL},
        {"", "-", NULL},
        {"-", "", NULL},
        {"ab", NULL},
        {"a", "b", NULL},
        {"b", "a", NULL},
        {"ab", "", NULL},
        {"", "ab", NULL},
        {"ab", "-", NULL},
        {"a", "", "b", NULL},
        {"a", "b", "", NULL},
        {"a", "-", "b", NULL},
    };
    char hex[HM_ARRAY_LEN(lists)][HM_SHA256_HEX];
    for (size_t i = 0; i < HM_ARRAY_LEN(lists); i++) {
        hash_fields(lists[i], hex[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(hex[i], hex[j]) == 0)
                fail_msg("lists %zu and %zu have the same digest", i, j);
    }
    char again[HM_SHA256_HEX];
    hash_fields(lists[8], again);
    assert_string_equal(again, hex[8]);
}

/* The layout is part of every stored digest: it may not change unseen. */
static void test_field_layout(void **state)
{
    (void)state;
    static const unsigned char flat[] = {0, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const char *const fields[] = {"abc", "-", NULL};
    char one[HM_SHA256_HEX];
    char two[HM_SHA256_HEX];
    hm_sha256_hex(flat, sizeof flat, one);
    hash_fields(fields, two);
    assert_string_equal(one, two);
}

static void test_hmac(void **state)
{
    /* RFC 4231, cases 2 and 6 */
    unsigned char mac[HM_SHA256_RAW], long_key[131];
    char hex[HM_SHA256_HEX];
    (void)state;
    hm_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    hm_hex(mac, sizeof mac, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(long_key, 0xaa, sizeof long_key);
    hm_hmac_sha256(long_key, sizeof long_key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
    hm_hex(mac, sizeof mac, hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_secret_equal(void **state)
{
    (void)state;
    assert_true(hm_secret_equal("", ""));
    assert_true(hm_secret_equal("s3cret", "s3cret"));
    assert_false(hm_secret_equal("s3cret", "s3creT"));
    assert_false(hm_secret_equal("s3cret", "S3cret"));
    assert_false(hm_secret_equal("s3cret", "s3cre"));
    assert_false(hm_secret_equal("", "s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_nul_bytes_count),
        cmocka_unit_test(test_fields_can_not_run_into_each_other),
        cmocka_unit_test(test_field_layout),
        cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_secret_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
