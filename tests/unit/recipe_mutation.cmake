hm_unit_test(recipe_mutation NEEDS hm_recipe)
set_tests_properties(unit.recipe_mutation PROPERTIES TIMEOUT 900) # all mistakes at all places of all recipes
if(HM_SANITIZE OR HM_FUZZ)
    set_tests_properties(unit.recipe_mutation PROPERTIES ENVIRONMENT HM_MUTANT_STEP=11)
elseif(HM_VALGRIND)
    set_tests_properties(unit.recipe_mutation PROPERTIES ENVIRONMENT HM_MUTANT_STEP=101)
endif()
