# The libvirt room on real guests, in a world of its own, because it ends libvirtd on the way.
if(NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  add_test(NAME virt/world COMMAND tests/virt/run ${CMAKE_BINARY_DIR} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  # One of its claims counts milliseconds.
  set_tests_properties(virt/world PROPERTIES TIMEOUT 1500 RUN_SERIAL ON)
endif()
