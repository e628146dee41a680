# That worlds end.
if(NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  add_test(NAME world/ends COMMAND tests/world/ends WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(world/ends PROPERTIES TIMEOUT 1500)
endif()
