# Writes text files into a C file, each as an array of chars that ends in a zero:
#   cmake -D OUTPUT=FILE -D FOLDER=DIR -D NAMES=a,b -P embed.cmake     a.py is embedded_a
set(content "/* Made by embed.cmake. */\n#include \"script/python/embedded.h\"\n")
string(REPLACE "," ";" NAMES "${NAMES}")
foreach(name IN LISTS NAMES)
  file(READ ${FOLDER}/${name}.py bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND content "\nconst char embedded_${name}[] = {${bytes}0};\n")
endforeach()
file(WRITE ${OUTPUT} "${content}")
