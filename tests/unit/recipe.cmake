# The strict reader of configuration files, and the room of recipes.
hm_unit_test(args_check NEEDS hm_recipe)
hm_unit_test(cfg NEEDS hm_base)
hm_unit_test(choice NEEDS hm_recipe)
hm_unit_test(expr NEEDS hm_recipe)
hm_unit_test(params NEEDS hm_recipe)
hm_unit_test(recipe NEEDS hm_recipe SOURCES fake_actions.c)
hm_unit_test(shipped_recipes NEEDS hm_recipe)
hm_unit_test(template NEEDS hm_recipe)
