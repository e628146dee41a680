# Lint: see README.md.
set(lint ${CMAKE_SOURCE_DIR}/tests/lint)
add_test(NAME lint/includes COMMAND ${lint}/includes.sh ${CMAKE_SOURCE_DIR})
add_test(NAME lint/sizes COMMAND ${lint}/sizes.sh ${CMAKE_SOURCE_DIR})
add_test(NAME lint/cppcheck COMMAND ${lint}/cppcheck.sh ${CMAKE_SOURCE_DIR})
add_test(NAME lint/tidy COMMAND ${lint}/tidy.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
# Of all tests the first: see the script.
set_tests_properties(lint/tidy PROPERTIES TIMEOUT 1500 COST 200)
add_test(NAME lint/words COMMAND ${lint}/words.sh ${CMAKE_SOURCE_DIR})
add_test(NAME lint/self_test COMMAND ${lint}/self_test.sh ${CMAKE_SOURCE_DIR})
# A build for fuzzing or with sanitizers calls into them from everywhere; the plain build is the one that is judged.
if(NOT KILN_FUZZ AND NOT KILN_SANITIZE)
  foreach(room states protocol)
    add_test(NAME lint/purity_${room} COMMAND ${lint}/purity.sh $<TARGET_FILE:kiln_${room}> ${lint}/pure/${room})
  endforeach()
  add_test(NAME lint/named COMMAND ${lint}/named.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  add_test(NAME lint/hardening COMMAND ${lint}/hardening.sh $<TARGET_FILE:kilnd> $<TARGET_FILE:kiln-edge> $<TARGET_FILE:kiln>
           $<TARGET_FILE:kiln-connect> $<TARGET_FILE:kiln-stub> $<TARGET_FILE:kiln-controller>)
endif()
