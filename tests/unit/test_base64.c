/* Base64 in both alphabets: the vectors of RFC 4648, every length, and what is no base64. */
#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit.h"

static void test_vectors(void **state)
{
    static const char *const rfc4648[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(rfc4648); i++) {
        size_t len = 99;
        char *text = hm_base64(rfc4648[i][0], strlen(rfc4648[i][0]));
        char *back = hm_base64_decode(text, &len);
        assert_string_equal(text, rfc4648[i][1]);
        assert_string_equal(back, rfc4648[i][0]);
        assert_int_equal(len, strlen(rfc4648[i][0]));
        free(back);
        free(text);
    }
}

static void test_both_alphabets(void **state)
{
    static const unsigned char bytes[] = {0xfb, 0xff, 0xbf, 0x00, 0x3e};
    size_t len = 0;
    (void)state;
    char *plain = hm_base64(bytes, sizeof bytes);
    char *url = hm_base64url(bytes, sizeof bytes);
    assert_string_equal(plain, "+/+/AD4=");
    assert_string_equal(url, "-_-_AD4");
    char *a = hm_base64_decode(plain, &len);
    char *b = hm_base64_decode(url, &len);
    assert_int_equal(len, sizeof bytes);
    assert_memory_equal(a, bytes, sizeof bytes);
    assert_memory_equal(b, bytes, sizeof bytes);
    free(plain);
    free(url);
    free(a);
    free(b);
}

static void test_line_breaks(void **state)
{
    size_t len = 0;
    (void)state;
    char *text = hm_base64_decode("Zm9v\nYmFy\r\n", &len); /* as GitHub sends contents */
    assert_string_equal(text, "foobar");
    free(text);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {"Z", "Zm9vY", "Zm9=v", "Zg===", "Zg=", "=", "Zm 9v", "Zm9v!", "Zh==", "Zm9=", "\xc3\xa4"};
    (void)state;
    for (size_t i = 0; i < HM_ARRAY_LEN(bad); i++) {
        size_t len = 0;
        char *text = hm_base64_decode(bad[i], &len);
        if (text != NULL)
            fail_msg("\"%s\" was decoded", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_both_alphabets),
        cmocka_unit_test(test_line_breaks),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
