# Every test that is one process, once more under AddressSanitizer and UndefinedBehaviorSanitizer, built by clang. That build is
# another tree (see the Makefile), of which this tree's count shows one entry.
if(NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  add_test(NAME sanitized COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${CMAKE_SOURCE_DIR}/build-sanitized
           --output-on-failure --no-tests=error --parallel 2 -R "^((unit|fuzz|story|states|sim/(stories|lies))/|sim/every_point)")
  set_tests_properties(sanitized PROPERTIES TIMEOUT 3000 COST 100)
endif()
