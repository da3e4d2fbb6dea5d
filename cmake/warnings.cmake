# Warnings and sanitizers for our own targets, never for what we link.
add_library(mq_flags INTERFACE)
target_compile_options(mq_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wcast-align -Wunused
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  # g++ 12 is wrong in these two when it optimises: about std::string + "literal" (its bug 105651), and
  # about a list of watches that live on the stack and leave it in their destructors (net/lifetime.hpp).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-dangling-pointer>)
if(MQ_WERROR)
  target_compile_options(mq_flags INTERFACE -Werror)
endif()
if(MQ_SANITIZE)
  add_compile_options(-fsanitize=${MQ_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MQ_SANITIZE})
  if(MQ_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
endif()
