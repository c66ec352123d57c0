#include "form.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

int sim_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

char *sim_form_decode(const char *s, size_t len, bool plus)
{
    char *out = hm_xmalloc(len + 1);
    size_t at = 0;
    size_t i = 0;

    for (i = 0; i < len; i++) {
        if (s[i] == '%' && i + 2 < len && sim_hex_digit(s[i + 1]) >= 0 && sim_hex_digit(s[i + 2]) >= 0) {
            out[at++] = (char)(sim_hex_digit(s[i + 1]) * 16 + sim_hex_digit(s[i + 2]));
            i += 2;
        } else {
            out[at++] = s[i];
            if (plus && s[i] == '+') {
                out[at - 1] = ' ';
            }
        }
    }
    out[at] = '\0';
    return out;
}

json_t *sim_form_parse_new(const char *text)
{
    json_t *obj = hm_json_obj_new();

    while (*text != '\0') {
        size_t len = strcspn(text, "&");
        const char *eq = memchr(text, '=', len);
        size_t key_len = eq != NULL ? (size_t)(eq - text) : len;
        char *key = sim_form_decode(text, key_len, true);
        char *value = eq != NULL ? sim_form_decode(eq + 1, len - key_len - 1, true) : hm_xstrdup("");

        if (key[0] != '\0') {
            hm_json_set_str(obj, key, value);
        }
        free(key);
        free(value);
        text += len + (text[len] == '&' ? 1 : 0);
    }
    return obj;
}

void sim_form_encode(struct hm_strbuf *b, const char *s)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-_.~", c) != NULL) {
            hm_strbuf_addc(b, (char)c);
        } else {
            hm_strbuf_addf(b, "%%%02X", (unsigned)c);
        }
    }
}
