# The libvirt room on real guests, in a world of its own, because it ends libvirtd on the way.
if(NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  add_executable(virt_world tests/virt/virt_world.c)
  target_link_libraries(virt_world PRIVATE kiln_core ${CMOCKA})
  add_test(NAME virt/world COMMAND tests/virt/run ${CMAKE_BINARY_DIR} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  # One of its claims counts milliseconds.
  set_tests_properties(virt/world PROPERTIES TIMEOUT 1500 RUN_SERIAL ON)
endif()
