# The strict reader of configuration files, and the room of recipes.
hm_unit_test(cfg NEEDS hm_base)
