/* Any envelope: no crash, no NULL string, a reason whenever it is ignored. */
#include <string.h>

#include "base/assert.h"
#include "slack/request.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hm_slack_request r;
    hm_slack_request_parse((const char *)data, size, &r);
    const char *const strings[] = {r.envelope_id, r.event_type,   r.app_id,    r.team,     r.user,
                                   r.user_team,   r.bot_id,       r.channel,   r.command,  r.text,
                                   r.trigger_id,  r.response_url, r.action_id, r.block_id, r.value,
                                   r.view_id,     r.view_hash,    r.subteam,   r.tab,      r.subtype};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        HM_ASSERT(strings[i] != NULL);
    HM_ASSERT(json_is_object(r.values) && json_is_array(r.selected));
    HM_ASSERT((r.kind == HM_SLACK_IGNORED) == (r.ignored[0] != '\0'));
    HM_ASSERT(hm_slack_mention_text(r.text, "U1") >= r.text);
    hm_slack_request_done(&r);
    return 0;
}
