# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=FILE.c -DHEADER=FILE.h -DTYPE=TYPE -DTABLE=NAME -DFILES=A;B -P EmbedFiles.cmake: text files as a C table
# of TYPE {name, data, length}, with an empty one behind the last. HEADER is what declares it.
set(arrays "")
set(table "")
set(index 0)
foreach(file IN LISTS FILES)
  file(READ "${file}" hex HEX)
  string(LENGTH "${hex}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(....................................................................................................)" "\\1\n" bytes "${bytes}")
  get_filename_component(name "${file}" NAME)
  string(APPEND arrays "static const unsigned char data_${index}[] = {\n${bytes}};\n")
  string(APPEND table "    {\"${name}\", data_${index}, ${length}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}" "// SPDX-License-Identifier: Apache-2.0\n#include <${HEADER}>\n\n${arrays}\nconst ${TYPE} ${TABLE}[] = {\n${table}    {0},\n};\n")
