# The room of recipes.
hm_fuzz_target(expr NEEDS hm_recipe MAX_LEN 2100)
hm_fuzz_target(template NEEDS hm_recipe MAX_LEN 2100)
hm_fuzz_target(slash_words NEEDS hm_recipe MAX_LEN 1024)
hm_fuzz_target(recipe NEEDS hm_recipe SOURCES ../unit/fake_actions.c MAX_LEN 8192)
