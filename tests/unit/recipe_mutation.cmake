hm_unit_test(recipe_mutation NEEDS hm_recipe)
# Every mistake in every place of every shipped recipe: it grows with them.
set_tests_properties(unit.recipe_mutation PROPERTIES TIMEOUT 900)
