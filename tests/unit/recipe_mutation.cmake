hm_unit_test(recipe_mutation NEEDS hm_recipe)
