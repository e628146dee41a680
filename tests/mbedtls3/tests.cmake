# The tree with mbedTLS 3.x, where there is one: Debian 12 has 2.28.
if(NOT KILN_SANITIZE AND NOT KILN_FUZZ AND NOT MBEDTLS_ROOT)
  add_test(NAME mbedtls3 COMMAND ${CMAKE_CURRENT_LIST_DIR}/run ${CMAKE_BINARY_DIR})
  set_tests_properties(mbedtls3 PROPERTIES TIMEOUT 1200 SKIP_RETURN_CODE 77)
endif()
