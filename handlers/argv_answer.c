/* What the end of a program means: see argv_answer.h. */
#include "handlers/argv_answer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "handlers/http_answer.h"

enum { OUTPUT_MAX = 2000, SAID_MAX = 200, WORD_MAX = 100, SIGNALLED = 128, SIGNAL_MAX = 64 };

bool hm_argv_unresolved(const struct hm_answer *answer)
{
    /* What curl, glibc, musl, Java and Python say. */
    static const char *const words[] = {"could not resolve host",     "name or service not known", "name does not resolve",
                                        "failure in name resolution", "unknownhostexception",      "nodename nor servname"};
    if (answer->transport != HM_TRANSPORT_ANSWER || answer->status == 0 || answer->status > SIGNALLED)
        return false;
    /* What a server answered would stand in stdout: then something was sent. curl writes 000 for no answer. */
    if (strspn(answer->body, " \t\r\n0") != answer->body_len)
        return false;
    for (size_t i = 0; i < HM_ARRAY_LEN(words); i++)
        if (strcasestr(answer->errors, words[i]) != NULL)
            return true;
    return false;
}

bool hm_argv_word_ok(const char *word)
{
    size_t len = strlen(word);
    if (len == 0 || len > WORD_MAX || strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != len)
        return false;
    return strchr("._-", word[0]) == NULL;
}

static size_t without_blank_end(const char *text, size_t len)
{
    while (len > 0 && isspace((unsigned char)text[len - 1]) != 0)
        len--;
    return len;
}

/* The last max bytes of text, from a line's beginning when there is one in them; cleaned. The caller frees. */
static char *end_of(const char *text, size_t len, size_t max)
{
    len = without_blank_end(text, len);
    size_t from = len > max ? len - max : 0;
    const char *line = from > 0 ? memchr(text + from, '\n', len - from) : NULL;
    if (line != NULL)
        from = (size_t)(line + 1 - text);
    while (from < len && ((unsigned char)text[from] & 0xC0U) == 0x80U) /* not in the middle of a character */
        from++;
    return hm_utf8_clean(text + from, len - from);
}

/* ": the last line it wrote", or nothing. The caller frees. */
static char *last_words(const struct hm_answer *answer)
{
    const char *text = answer->errors;
    size_t len = without_blank_end(text, strlen(text));
    if (len == 0) {
        text = answer->body;
        len = without_blank_end(text, answer->body_len);
    }
    const char *line = len > 0 ? memrchr(text, '\n', len) : NULL;
    size_t from = line != NULL ? (size_t)(line + 1 - text) : 0;
    char *end = end_of(text + from, len - from, SAID_MAX);
    const char *word = end + strspn(end, " \t");
    char *said = word[0] != '\0' ? hm_xasprintf(": %s", word) : hm_xstrdup("");
    free(end);
    return said;
}

static bool among(const int *statuses, int status)
{
    for (; statuses != NULL && *statuses != 0; statuses++)
        if (*statuses == status)
            return true;
    return false;
}

bool hm_argv_was_cut(const struct hm_answer *answer)
{
    static const char mark[] = "[the first ", rest[] = " bytes were cut off]\n";
    const char *digits = hm_starts_with(answer->body, mark) ? answer->body + strlen(mark) : "";
    size_t len = strspn(digits, "0123456789");
    return len > 0 && hm_starts_with(digits + len, rest);
}

enum hm_verdict hm_argv_judge(const struct hm_argv_asked *asked, const struct hm_answer *answer, struct hm_outcome *ret_out)
{
    if (answer->status == 0) {
        char *output = end_of(answer->body, answer->body_len, OUTPUT_MAX);
        ret_out->result = hm_json_obj_new();
        hm_json_set_int(ret_out->result, "status", 0);
        hm_json_set_str(ret_out->result, "output", output);
        free(output);
        return HM_VERDICT_OK;
    }
    bool read = asked->effect == HM_EFFECT_READ;
    bool refused = among(asked->refusals, answer->status);
    const char *outlook = read ? "" : refused ? "; nothing was done" : "; it may have happened or not";
    char *said = last_words(answer);
    enum hm_verdict verdict = refused ? HM_VERDICT_PERMANENT : read ? HM_VERDICT_RETRYABLE : HM_VERDICT_MAYBE;
    if (answer->status > SIGNALLED && answer->status <= SIGNALLED + SIGNAL_MAX) /* 255 is what ssh ends with */
        (void)hm_outcome_fail(ret_out, verdict, "`%s` was ended by signal %d%s%s", asked->command, answer->status - SIGNALLED,
                              said, outlook);
    else
        (void)hm_outcome_fail(ret_out, verdict, "`%s` ended with exit status %d%s%s", asked->command, answer->status, said,
                              outlook);
    free(said);
    return verdict;
}
