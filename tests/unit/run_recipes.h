/* Recipes for the stage, in pieces. */
#ifndef HM_TESTS_UNIT_RUN_RECIPES_H
#define HM_TESTS_UNIT_RUN_RECIPES_H

#define HEAD(name)    "name = \"" name "\"; title = \"T\"; doc = \"D\"; who = [ \"hausmeister\" ]; timeout = \"30m\";\n"
#define PARAM         "params = ( { name = \"id\"; type = \"string\"; help = \"which\"; } );\n"
#define GATE(more)    "{ id = \"gate\"; approve = \"Turn ${id} off?\"; by = [ \"hausmeister\" ]; expires = \"15m\"; " more "},\n"
#define WRITE(action) "{ id = \"write\"; do = \"" action "\"; with = { id = \"${id}\"; }; }"
#define LIST          "{ id = \"list\"; do = \"fake.list\"; },\n"
#define GATE_ALL                                                                                                                 \
    "{ id = \"gate\"; approve = \"All ${count(list.items)}?\"; by = [ \"hausmeister\" ]; typed = \"${count(list.items)}\"; },\n"
#define EACH(action, more)                                                                                                       \
    "{ id = \"write\"; foreach = \"list.items\"; as = \"thing\"; do = \"" action "\"; with = { id = \"${thing.id}\"; }; " more "}"

#endif
