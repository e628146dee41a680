# What the programs say of themselves. A build for fuzzing has none of them.
if(NOT KILN_FUZZ AND NOT KILN_SANITIZE)
  add_test(NAME cli/help COMMAND ${CMAKE_CURRENT_LIST_DIR}/help.sh $<TARGET_FILE:kilnd> $<TARGET_FILE:kiln-edge> $<TARGET_FILE:kiln>
           $<TARGET_FILE:kiln-connect> $<TARGET_FILE:kiln-stub> $<TARGET_FILE:kiln-controller>)
endif()
