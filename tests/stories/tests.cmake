# Stories: one program that runs them, one ctest entry a story. The controller's machine is compiled apart from the rest of
# guest/, which is not pure.
file(GLOB guest_machine_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/guest/machine*.c ${CMAKE_SOURCE_DIR}/guest/state_*.c)
add_library(kiln_guest_machine STATIC ${guest_machine_sources})
target_link_libraries(kiln_guest_machine PUBLIC kiln_states)

file(GLOB story_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/stories/*.c)
add_executable(story ${story_sources})
target_link_libraries(story PRIVATE kiln_guest_machine kiln_states kiln_protocol)

foreach(machine vm guest)
  file(GLOB stories CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/stories/${machine}/*.story)
  foreach(path ${stories})
    get_filename_component(name ${path} NAME_WE)
    add_test(NAME story/${machine}/${name} COMMAND story ${machine} ${path})
  endforeach()
endforeach()
