/* Limits: docs of Slack's Block Kit reference, as collected in this project's notes on the platform. */
#include "blockkit_spec.h"

#include <string.h>

#include "blockkit.h"

#define ALL_SURFACES (SIM_IN_MESSAGE | SIM_IN_MODAL | SIM_IN_HOME)

#define REQ(name_, kind_, min_, max_)                                                                                            \
    {                                                                                                                            \
        .name = (name_), .kind = (kind_), .required = true, .min = (min_), .max = (max_)                                         \
    }
#define OPT(name_, kind_, min_, max_)                                                                                            \
    {                                                                                                                            \
        .name = (name_), .kind = (kind_), .min = (min_), .max = (max_)                                                           \
    }
#define WORDS(name_, words_)                                                                                                     \
    {                                                                                                                            \
        .name = (name_), .kind = BK_ENUM, .words = (words_)                                                                      \
    }
#define ACTION_ID   OPT("action_id", BK_STR, 1, 255)
#define CONFIRM     OPT("confirm", BK_CONFIRM, 0, 0)
#define FOCUS       OPT("focus_on_load", BK_BOOL, 0, 0)
#define PLACEHOLDER OPT("placeholder", BK_PLAIN, 1, 150)
#define END                                                                                                                      \
    {                                                                                                                            \
        .name = NULL                                                                                                             \
    }

static const struct sim_bk_field button[] = {REQ("text", BK_PLAIN, 1, 75),
                                             ACTION_ID,
                                             OPT("url", BK_URL, 1, 3000),
                                             OPT("value", BK_STR, 0, 2000),
                                             WORDS("style", "primary danger"),
                                             CONFIRM,
                                             OPT("accessibility_label", BK_STR, 1, 75),
                                             END};
static const struct sim_bk_field workflow_button[] = {REQ("text", BK_PLAIN, 1, 75),
                                                      ACTION_ID,
                                                      REQ("workflow", BK_ANY, 0, 0),
                                                      WORDS("style", "primary danger"),
                                                      OPT("accessibility_label", BK_STR, 1, 75),
                                                      END};
static const struct sim_bk_field icon_button[] = {REQ("icon", BK_STR, 1, 75),
                                                  REQ("text", BK_PLAIN, 1, 75),
                                                  ACTION_ID,
                                                  OPT("value", BK_STR, 0, 2000),
                                                  CONFIRM,
                                                  OPT("accessibility_label", BK_STR, 1, 75),
                                                  OPT("visible_to_user_ids", BK_STRINGS, 1, 100),
                                                  END};
static const struct sim_bk_field feedback_buttons[] = {ACTION_ID, REQ("positive_button", BK_ANY, 0, 0),
                                                       REQ("negative_button", BK_ANY, 0, 0), END};
static const struct sim_bk_field static_select[] = {PLACEHOLDER,
                                                    ACTION_ID,
                                                    OPT("options", BK_OPTIONS, 1, 100),
                                                    OPT("option_groups", BK_GROUPS, 1, 100),
                                                    OPT("initial_option", BK_OPTION, 0, 0),
                                                    CONFIRM,
                                                    FOCUS,
                                                    END};
static const struct sim_bk_field multi_static_select[] = {PLACEHOLDER,
                                                          ACTION_ID,
                                                          OPT("options", BK_OPTIONS, 1, 100),
                                                          OPT("option_groups", BK_GROUPS, 1, 100),
                                                          OPT("initial_options", BK_OPTIONS, 1, 100),
                                                          OPT("max_selected_items", BK_INT, 1, 100),
                                                          CONFIRM,
                                                          FOCUS,
                                                          END};
static const struct sim_bk_field external_select[] = {
    PLACEHOLDER, ACTION_ID, OPT("initial_option", BK_ANY, 0, 0), OPT("min_query_length", BK_INT, 0, 3000), CONFIRM, FOCUS, END};
static const struct sim_bk_field multi_external_select[] = {PLACEHOLDER,
                                                            ACTION_ID,
                                                            OPT("initial_options", BK_ANY, 0, 0),
                                                            OPT("min_query_length", BK_INT, 0, 3000),
                                                            OPT("max_selected_items", BK_INT, 1, 100),
                                                            CONFIRM,
                                                            FOCUS,
                                                            END};
static const struct sim_bk_field users_select[] = {PLACEHOLDER, ACTION_ID, OPT("initial_user", BK_STR, 1, 255),
                                                   CONFIRM,     FOCUS,     END};
static const struct sim_bk_field multi_users_select[] = {
    PLACEHOLDER, ACTION_ID, OPT("initial_users", BK_STRINGS, 1, 100), OPT("max_selected_items", BK_INT, 1, 100), CONFIRM,
    FOCUS,       END};
static const struct sim_bk_field conversations_select[] = {PLACEHOLDER,
                                                           ACTION_ID,
                                                           OPT("initial_conversation", BK_STR, 1, 255),
                                                           OPT("default_to_current_conversation", BK_BOOL, 0, 0),
                                                           OPT("response_url_enabled", BK_BOOL, 0, 0),
                                                           OPT("filter", BK_ANY, 0, 0),
                                                           CONFIRM,
                                                           FOCUS,
                                                           END};
static const struct sim_bk_field multi_conversations_select[] = {PLACEHOLDER,
                                                                 ACTION_ID,
                                                                 OPT("initial_conversations", BK_STRINGS, 1, 100),
                                                                 OPT("default_to_current_conversation", BK_BOOL, 0, 0),
                                                                 OPT("filter", BK_ANY, 0, 0),
                                                                 OPT("max_selected_items", BK_INT, 1, 100),
                                                                 CONFIRM,
                                                                 FOCUS,
                                                                 END};
static const struct sim_bk_field channels_select[] = {
    PLACEHOLDER, ACTION_ID, OPT("initial_channel", BK_STR, 1, 255), OPT("response_url_enabled", BK_BOOL, 0, 0), CONFIRM,
    FOCUS,       END};
static const struct sim_bk_field multi_channels_select[] = {
    PLACEHOLDER, ACTION_ID, OPT("initial_channels", BK_STRINGS, 1, 100), OPT("max_selected_items", BK_INT, 1, 100), CONFIRM,
    FOCUS,       END};
static const struct sim_bk_field overflow[] = {ACTION_ID, REQ("options", BK_OPTIONS, 1, 5), CONFIRM, END};
static const struct sim_bk_field datepicker[] = {PLACEHOLDER, ACTION_ID, OPT("initial_date", BK_DATE, 0, 0), CONFIRM, FOCUS, END};
static const struct sim_bk_field timepicker[] = {
    PLACEHOLDER, ACTION_ID, OPT("initial_time", BK_TIME, 0, 0), OPT("timezone", BK_STR, 1, 255), CONFIRM, FOCUS, END};
static const struct sim_bk_field datetimepicker[] = {ACTION_ID, OPT("initial_date_time", BK_INT, 0, 9999999999), CONFIRM, FOCUS,
                                                     END};
static const struct sim_bk_field checkboxes[] = {
    ACTION_ID, REQ("options", BK_OPTIONS, 1, 10), OPT("initial_options", BK_OPTIONS, 1, 10), CONFIRM, FOCUS, END};
static const struct sim_bk_field radio_buttons[] = {
    ACTION_ID, REQ("options", BK_OPTIONS, 1, 10), OPT("initial_option", BK_OPTION, 0, 0), CONFIRM, FOCUS, END};
static const struct sim_bk_field plain_text_input[] = {PLACEHOLDER,
                                                       ACTION_ID,
                                                       OPT("initial_value", BK_STR, 0, 3000),
                                                       OPT("multiline", BK_BOOL, 0, 0),
                                                       OPT("min_length", BK_INT, 0, 3000),
                                                       OPT("max_length", BK_INT, 1, 3000),
                                                       OPT("dispatch_action_config", BK_ANY, 0, 0),
                                                       FOCUS,
                                                       END};
static const struct sim_bk_field text_like_input[] = {
    PLACEHOLDER, ACTION_ID, OPT("initial_value", BK_STR, 0, 3000), OPT("dispatch_action_config", BK_ANY, 0, 0), FOCUS, END};
static const struct sim_bk_field number_input[] = {PLACEHOLDER,
                                                   ACTION_ID,
                                                   REQ("is_decimal_allowed", BK_BOOL, 0, 0),
                                                   OPT("initial_value", BK_STR, 0, 255),
                                                   OPT("min_value", BK_STR, 0, 255),
                                                   OPT("max_value", BK_STR, 0, 255),
                                                   OPT("dispatch_action_config", BK_ANY, 0, 0),
                                                   FOCUS,
                                                   END};
static const struct sim_bk_field rich_text_input[] = {
    PLACEHOLDER, ACTION_ID, OPT("initial_value", BK_ANY, 0, 0), OPT("dispatch_action_config", BK_ANY, 0, 0), FOCUS, END};
static const struct sim_bk_field file_input[] = {ACTION_ID, OPT("filetypes", BK_STRINGS, 1, 100), OPT("max_files", BK_INT, 1, 10),
                                                 END};
static const struct sim_bk_field image_element[] = {OPT("image_url", BK_URL, 1, 3000), OPT("slack_file", BK_ANY, 0, 0),
                                                    REQ("alt_text", BK_STR, 1, 2000), END};
static const struct sim_bk_field text_element[] = {REQ("text", BK_STR, 1, 3000), OPT("emoji", BK_BOOL, 0, 0),
                                                   OPT("verbatim", BK_BOOL, 0, 0), END};

#define MENU (AT_SECTION | AT_ACTIONS | AT_INPUT)
const struct sim_bk_spec sim_bk_elements[] = {
    {"button", AT_SECTION | AT_ACTIONS | AT_CARD, button, NULL},
    {"workflow_button", AT_SECTION | AT_ACTIONS, workflow_button, NULL},
    {"icon_button", AT_CONTEXT_ACTIONS | AT_CARD, icon_button, NULL},
    {"feedback_buttons", AT_CONTEXT_ACTIONS, feedback_buttons, NULL},
    {"static_select", MENU, static_select, "options option_groups"},
    {"multi_static_select", AT_SECTION | AT_INPUT, multi_static_select, "options option_groups"},
    {"external_select", MENU, external_select, NULL},
    {"multi_external_select", AT_SECTION | AT_INPUT, multi_external_select, NULL},
    {"users_select", MENU, users_select, NULL},
    {"multi_users_select", AT_SECTION | AT_INPUT, multi_users_select, NULL},
    {"conversations_select", MENU, conversations_select, NULL},
    {"multi_conversations_select", AT_SECTION | AT_INPUT, multi_conversations_select, NULL},
    {"channels_select", MENU, channels_select, NULL},
    {"multi_channels_select", AT_SECTION | AT_INPUT, multi_channels_select, NULL},
    {"overflow", AT_SECTION | AT_ACTIONS, overflow, NULL},
    {"datepicker", MENU, datepicker, NULL},
    {"timepicker", MENU, timepicker, NULL},
    {"datetimepicker", AT_ACTIONS | AT_INPUT, datetimepicker, NULL},
    {"checkboxes", MENU, checkboxes, NULL},
    {"radio_buttons", MENU, radio_buttons, NULL},
    {"plain_text_input", AT_INPUT, plain_text_input, NULL},
    {"email_text_input", AT_INPUT, text_like_input, NULL},
    {"url_text_input", AT_INPUT, text_like_input, NULL},
    {"number_input", AT_INPUT, number_input, NULL},
    {"rich_text_input", AT_INPUT, rich_text_input, NULL},
    {"file_input", AT_INPUT, file_input, NULL},
    {"image", AT_SECTION | AT_CONTEXT, image_element, "image_url slack_file"},
    {"plain_text", AT_CONTEXT, text_element, NULL},
    {"mrkdwn", AT_CONTEXT, text_element, NULL},
    {NULL, 0, NULL, NULL},
};

static const struct sim_bk_field section[] = {OPT("text", BK_TEXT, 1, 3000),
                                              OPT("fields", BK_TEXTS, 1, 10),
                                              {.name = "accessory", .kind = BK_ELEMENT, .where = AT_SECTION},
                                              OPT("expand", BK_BOOL, 0, 0),
                                              END};
static const struct sim_bk_field header[] = {REQ("text", BK_PLAIN, 1, 150), OPT("level", BK_INT, 1, 4), END};
static const struct sim_bk_field divider[] = {END};
static const struct sim_bk_field context[] = {
    {.name = "elements", .kind = BK_ELEMENTS, .required = true, .min = 1, .max = 10, .where = AT_CONTEXT}, END};
static const struct sim_bk_field context_actions[] = {
    {.name = "elements", .kind = BK_ELEMENTS, .required = true, .min = 1, .max = 5, .where = AT_CONTEXT_ACTIONS}, END};
static const struct sim_bk_field actions[] = {
    {.name = "elements", .kind = BK_ELEMENTS, .required = true, .min = 1, .max = 25, .where = AT_ACTIONS}, END};
static const struct sim_bk_field input[] = {
    REQ("label", BK_PLAIN, 1, 2000),       {.name = "element", .kind = BK_ELEMENT, .required = true, .where = AT_INPUT},
    OPT("hint", BK_PLAIN, 1, 2000),        OPT("optional", BK_BOOL, 0, 0),
    OPT("dispatch_action", BK_BOOL, 0, 0), END};
static const struct sim_bk_field image_block[] = {OPT("image_url", BK_URL, 1, 3000), OPT("slack_file", BK_ANY, 0, 0),
                                                  REQ("alt_text", BK_STR, 1, 2000), OPT("title", BK_PLAIN, 1, 2000), END};
static const struct sim_bk_field video[] = {REQ("alt_text", BK_STR, 1, 2000),          REQ("title", BK_PLAIN, 1, 200),
                                            REQ("thumbnail_url", BK_URL, 1, 3000),     REQ("video_url", BK_URL, 1, 3000),
                                            OPT("author_name", BK_STR, 1, 50),         OPT("description", BK_PLAIN, 1, 200),
                                            OPT("provider_icon_url", BK_URL, 1, 3000), OPT("provider_name", BK_STR, 1, 50),
                                            OPT("title_url", BK_URL, 1, 3000),         END};
static const struct sim_bk_field file[] = {REQ("external_id", BK_STR, 1, 255), REQ("source", BK_STR, 1, 255), END};
static const struct sim_bk_field rich_text[] = {REQ("elements", BK_RICH, 0, 1000), END};
static const struct sim_bk_field markdown[] = {REQ("text", BK_STR, 1, 12000), END};
static const struct sim_bk_field table[] = {REQ("rows", BK_TABLE, 1, 100), OPT("column_settings", BK_ANY, 0, 20), END};
static const struct sim_bk_field data_table[] = {REQ("rows", BK_TABLE, 1, 100),         REQ("caption", BK_STR, 1, 255),
                                                 OPT("column_settings", BK_ANY, 0, 20), OPT("columns", BK_ANY, 0, 20),
                                                 OPT("page_size", BK_INT, 1, 100),      END};
static const struct sim_bk_field alert[] = {REQ("text", BK_TEXT, 1, 200), WORDS("level", "default info warning error success"),
                                            END};
static const struct sim_bk_field card[] = {OPT("title", BK_TEXT, 1, 150),
                                           OPT("subtitle", BK_TEXT, 1, 150),
                                           OPT("body", BK_TEXT, 1, 200),
                                           OPT("hero_image", BK_ANY, 0, 0),
                                           OPT("icon", BK_ANY, 0, 0),
                                           {.name = "actions", .kind = BK_ELEMENTS, .min = 1, .max = 3, .where = AT_CARD},
                                           END};
static const struct sim_bk_field carousel[] = {REQ("elements", BK_CARDS, 1, 10), END};
static const struct sim_bk_field container[] = {
    REQ("title", BK_TEXT, 1, 150),        OPT("subtitle", BK_TEXT, 1, 150), REQ("child_blocks", BK_BLOCKS, 1, 10),
    OPT("is_collapsible", BK_BOOL, 0, 0), OPT("icon", BK_ANY, 0, 0),        END};
static const struct sim_bk_field task_card[] = {REQ("task_id", BK_STR, 1, 255),
                                                REQ("title", BK_STR, 1, 255),
                                                WORDS("status", "pending in_progress complete error"),
                                                OPT("details", BK_ANY, 0, 0),
                                                OPT("output", BK_ANY, 0, 0),
                                                OPT("sources", BK_ANY, 0, 0),
                                                END};
static const struct sim_bk_field plan[] = {REQ("title", BK_STR, 1, 255), OPT("tasks", BK_ANY, 0, 0), END};

const struct sim_bk_spec sim_bk_blocks[] = {
    {"section", ALL_SURFACES, section, "text fields"},
    {"header", ALL_SURFACES, header, NULL},
    {"divider", ALL_SURFACES, divider, NULL},
    {"context", ALL_SURFACES, context, NULL},
    {"actions", ALL_SURFACES, actions, NULL},
    {"input", ALL_SURFACES, input, NULL},
    {"image", ALL_SURFACES, image_block, "image_url slack_file"},
    {"video", ALL_SURFACES, video, NULL},
    {"rich_text", ALL_SURFACES, rich_text, NULL},
    {"file", SIM_IN_MESSAGE, file, NULL},
    {"markdown", SIM_IN_MESSAGE, markdown, NULL},
    {"table", SIM_IN_MESSAGE, table, NULL},
    {"data_table", SIM_IN_MESSAGE, data_table, NULL},
    {"context_actions", SIM_IN_MESSAGE, context_actions, NULL},
    {"alert", ALL_SURFACES, alert, NULL},
    {"card", ALL_SURFACES, card, NULL},
    {"carousel", SIM_IN_MESSAGE, carousel, NULL},
    {"container", ALL_SURFACES, container, NULL},
    {"task_card", SIM_IN_MESSAGE, task_card, NULL},
    {"plan", SIM_IN_MESSAGE, plan, NULL},
    {NULL, 0, NULL, NULL},
};

const struct sim_bk_spec *sim_bk_find(const struct sim_bk_spec *list, const char *type)
{
    for (; list->type != NULL; list++) {
        if (strcmp(list->type, type) == 0) {
            return list;
        }
    }
    return NULL;
}
