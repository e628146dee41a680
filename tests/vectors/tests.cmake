# Prints new vectors of the wire; run by hand when protocol/README.md changes: bin/make_vectors > tests/vectors/wire.json
add_executable(make_vectors ${CMAKE_SOURCE_DIR}/tests/vectors/make.c)
target_link_libraries(make_vectors PRIVATE kiln_protocol)
set_target_properties(make_vectors PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
