# MQ_FAST_START: OpenSSL, fmt and libstdc++ become part of the programs.
#
# A one-shot mqpub lives for a few milliseconds, and most of them are the dynamic loader's. Medians of
# 100 from start to exit, in turns on one machine: 5.65 ms with Debian 12's shared libraries, 3.46 ms with
# this; mosquitto_pub 3.61 ms. OpenSSL's share of the gain is about 0.7 ms. The price: the programs
# have OpenSSL's fixes only when they are built again.
#
# mq_one_shot(TARGET): a client that may live for one message. OpenSSL's tables hold 23,000 addresses, and a program
# that can be loaded anywhere has them all written, and 100 pages copied, at each start: 2.7 ms with, 2.1 ms without,
# mosquitto_pub 2.2 ms. Libraries, stack and heap stay where chance puts them; the broker, which others connect to,
# stays position independent as a whole.
option(MQ_FAST_START "link OpenSSL, fmt and libstdc++ statically into the tools" OFF)
if(MQ_FAST_START)
  set(OPENSSL_USE_STATIC_LIBS ON)  # for find_package(OpenSSL)
  add_compile_definitions(FMT_HEADER_ONLY)  # Debian has no archive of fmt; --as-needed drops its library
  add_link_options(-static-libstdc++ -static-libgcc -Wl,-O1,--as-needed,--gc-sections)
endif()

function(mq_one_shot target)
  if(MQ_FAST_START)
    target_link_options(${target} PRIVATE -no-pie)
  endif()
endfunction()
