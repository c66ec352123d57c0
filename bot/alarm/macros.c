/* Macros of patterns: see macros.h. Values are small ASCII letters, digits and what the house's names are made of: whatever else
 * stands behind a label, {{end}} makes the value none at all, rather than a part of one. */
#include "alarm/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/finder.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/suggest.h"

/* The names of what is not production; ELSEWHERE: as a value behind LABELLED, perhaps with more of a name ("staging-blue"). */
#define NOWHERE  "(?i:staging|stg|test|dev|devel|sandbox)"
#define LABELLED "(?:[`\"']?[ \\t]*[:=]\\s*|[ \\t]*\\n[ \\t]*)[`\"']?)"
#define LINES                                                                                                                    \
    "(?:[^\\n]*+\\n(?![\\[#]))*?[^\\n]*?" /* to a place in this line or one of the next, before the title of another alarm */
#define ELSEWHERE NOWHERE "(?![a-z0-9_])"
/* … when there is something, but not "alert when there is something", which names an alarm */
#define SUPPOSED(word) "(?<!(?<!\\balert )(?<!\\balarm )(?<!\\bnotify )(?<!\\bpage )(?<!\\bfires )(?<!\\braised )\\b" word " )"
/* who is said to have done something, at the beginning */
#define SOMEBODY "\\A\\W*(?:on [^\\n,]{1,40}, )?[\\w.-]+(?: [\\w.-]+)? (?:has )?"
#define EMOJI    "(?:(?::[a-z0-9_+'-]+:|[\\x{2600}-\\x{27bf}\\x{1f300}-\\x{1faff}])[ \\t]*)?"

static const struct {
    const char *name, *pattern;
} macros[] = {
    /* before a value that has no label: white space, the beginning, a quote or an opening bracket */
    {"begin", "(?<![^\\s(\\[\"'`\xe2\x80\x9c\xe2\x80\x98])"},
    /* between a label and its value: ":" or "=", also at the end of the line before, or only the end of that line; an emoji;
       quotes */
    {"sep", "(?:[`\"'\xe2\x80\x9d\xe2\x80\x99]?[ \\t]*[:=][ \\t]*\\n?[ \\t]*|[ \\t]*\\n[ \\t]*)" EMOJI
            "[`\"'\xe2\x80\x9c\xe2\x80\x98]?"},
    /* behind a value: white space, the end, or ordinary punctuation; not code inside the word, nor the rest of an address */
    {"end", "(?![^\\s.,;:!?)\\]}>|\"'`\xe2\x80\x99\xe2\x80\x9d]|`[\\w$(][^`\\s]*`|://)"},
    {"uuid", "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"},
    {"dataset", "(?:nu-[a-z]{2}/)?[a-z][a-z0-9-]{1,80}/[a-z0-9][a-z0-9_-]{0,120}"},
    {"job", "(?!ip-[0-9]|i-[0-9a-f]{8})[a-z](?:[a-z0-9_-]|\\.(?=[a-z0-9])){1,127}"},
    {"service", "[a-z][a-z0-9-]{1,62}"},
    {"prototype", "(?:s[0-9]{1,2}|global|Global)"},
    {"topic", "[A-Z](?:[A-Z0-9_-]|\\.(?=[A-Z0-9])){1,120}"},
    {"day", "20[0-9]{2}-[01][0-9]-[0-3][0-9]"},
    {"moment", "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-9:.]{5,15}(?:[+-][0-9:]{4,6}|Z)?"},
    {"sha", "[0-9a-f]{7,40}"},
    {"host", "(?:ip-[0-9]{1,3}(?:-[0-9]{1,3}){3}\\.(?:ec2|[a-z]{2}-[a-z]{4,10}-[0-9]\\.compute)\\.internal|i-[0-9a-f]{8,17})"},
    {"stack", "[a-z][a-z0-9-]{0,40}"},
    {"environment", "(?:[Cc]antareira|CANTAREIRA|[Ff]oz|FOZ|(?:prod-)?daguito)"},
    /* 1234 and 1,234; of 12.5 the 12, but not the 1 of 1.234, which may mean either */
    {"number", "(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{4,12}|[0-9]{1,3}(?!\\.[0-9]{3}(?![0-9])))(?!,?[0-9])"},
    /* where a title begins: signs, emoji, mentions, a fence, a priority and the like may stand before it */
    {"title", "\\A(?:[^\\w\\[]|:[a-z0-9_+'-]+:|@[\\w.^-]+|\\[(?:PROD|prod|[Pp][0-9])\\]|#[0-9]+:"
              "|(?:Warning|Critical|Alert|Alarm|Incident)(?: #?[0-9]+)?[: ])*"},
    /* in front of an alarm's words: nothing that denies them */
    {"real", "(?=(?i:(?<!\\bno )(?<!\\bnot )(?<!\\bnever )(?<!\\bwithout )(?<!\\bzero )(?<!\\bno more )(?<!\\bno other )"
             "(?<!\\bno further )(?<!\\bwithout any )(?<!(?<![\\w.,])0 )(?<!\\bwhether )(?<!\\bunless )"
             "(?<!\\bin case )" SUPPOSED("if") SUPPOSED("when") "))"},
    /* behind them: nothing that takes them back, and no label further down says that it is not about production; the next alarm's
     * title has labels of its own */
    {"here", "(?![\"\xe2\x80\x9d]?(?i: no longer\\b|,? no more\\W*$| (?:was|were|is) (?:a |an |only a |just a )?(?:false "
             "(?:alarm|positive)|test|drill)\\b"
             "|(?: [a-z]+)?[ \\t]*[:=][ \\t]*(?:(?:none|false)\\b|no\\W*$)))"
             "(?!(?>" LINES "\\b(?i:env(?:ironment)?)" LABELLED ELSEWHERE ")(?!(?>" LINES
             "\\b(?i:stack(?:[ _-]?id)?)" LABELLED ELSEWHERE ")"},
    /* for unless: what is not about production */
    {"elsewhere", "(?:[\\[(]" NOWHERE "[\\])]|(?:\\A|[\\])] )\\W*(?i:staging|stg|sandbox) ?[:|]"
                  "|\\b(?i:(?:in|on|of|for|from) (?:staging|stg|sandbox))(?![\\w-])"
                  "|\\b(?i:this is (?:only |just )?an? (?:test|drill|exercise))\\b"
                  "|(?>\\b(?i:env(?:ironment)?|stack(?:[ _-]?id)?)" LABELLED ELSEWHERE ")"},
    /* for unless: what is down because somebody wants it so */
    {"planned",
     "(?:\\A(?:\\W|\\[[^\\]\\n]{1,20}\\]|#[0-9]+:|(?:Warning|Critical|Info):)*(?i:(?:planned|scheduled|upcoming|announced) "
     "(?:maintenance|downtime|outage)|maintenance)\\b|\\b(?i:for (?:a )?(?:planned|scheduled) (?:maintenance|downtime))\\b)"},
    /* for unless: a report about alarms, somebody's words about one, or what was done to the rule that raises them */
    {"talk",
     "(?i:\\b(?:hourly|daily|nightly|weekly|monthly) (?:[\\w-]+ ){0,2}(?:report|digest|summary|overview|recap)\\b"
     "(?:[^\\n]*\\b(?:alerts|alarms|incidents)\\b|\\W*\\z)"
     "|\\b(?:report|digest|summary|overview|list|recap|review) of [^\\n]{0,60}\\b(?:alerts|alarms|incidents)\\b"
     "|\\bpost-?mortem\\b|\\A\\W*(?:new )?(?:note|comment) (?:added|by|from)\\b"
     "|" SOMEBODY "(?:is now on[ -]call\\b|(?:added|left|wrote|posted) (?:a |the |another )?(?:note|comment)\\b|commented on\\b"
     "|(?:wrote|said|replied|asked|commented)\\b[^\\n]{0,40}:\\s*\\z|(?:silenced|muted)\\b"
     "|(?:created|updated|edited|changed|renamed|deleted|disabled|enabled) (?:the |an? )?(?:[\\w-]+ ){0,2}"
     "(?:policy|rule|monitor|schedule|search)\\b))"},
};

static const char *find(const char *name, size_t len)
{
    for (size_t i = 0; i < HM_ARRAY_LEN(macros); i++)
        if (strlen(macros[i].name) == len && memcmp(macros[i].name, name, len) == 0)
            return macros[i].pattern;
    return NULL;
}

/* open: what begins with {{, and has a name of len letters. */
static void unknown(const char *open, size_t len, struct hm_err *err)
{
    char name[40];
    char meant[100];
    struct hm_suggest s;
    (void)snprintf(name, sizeof name, "%.*s", (int)len, open + 2);
    hm_suggest_init(&s, name);
    for (size_t i = 0; i < HM_ARRAY_LEN(macros) && len > 0; i++)
        hm_suggest_try(&s, macros[i].name);
    (void)hm_err_set(err, HM_EINVAL,
                     "\"%.*s\" is no macro; there are begin, sep, end, uuid, dataset, job, service, prototype, topic, day, "
                     "moment, sha, host, stack, environment, number, title, real, here, elsewhere, planned, talk%s",
                     (int)(len + 4), open, hm_suggest_text(&s, meant, sizeof meant));
}

char *hm_alarm_expand(const char *pattern, struct hm_err *err)
{
    struct hm_strbuf out;
    hm_strbuf_init(&out, HM_FINDER_MAX + 1);
    for (const char *p = pattern; *p != '\0';) {
        const char *open = strstr(p, "{{");
        if (open == NULL) {
            hm_strbuf_adds(&out, p);
            break;
        }
        size_t len = strspn(open + 2, "abcdefghijklmnopqrstuvwxyz");
        const char *macro = strncmp(open + 2 + len, "}}", 2) == 0 ? find(open + 2, len) : NULL;
        if (macro == NULL) {
            unknown(open, len, err);
            hm_strbuf_done(&out);
            return NULL;
        }
        hm_strbuf_add(&out, p, (size_t)(open - p));
        hm_strbuf_adds(&out, macro);
        p = open + len + 4;
    }
    if (out.failed) {
        (void)hm_err_set(err, HM_ETOOBIG, "the pattern has more than %d bytes with its macros", HM_FINDER_MAX);
        hm_strbuf_done(&out);
        return NULL;
    }
    return hm_strbuf_take(&out);
}
