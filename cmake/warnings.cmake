# One INTERFACE target that every target of ours links: the warnings we hold ourselves to.
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough)
option(PACELINE_WERROR "Treat warnings as errors (the presets switch it on)" OFF)
if(PACELINE_WERROR)
  target_compile_options(warnings INTERFACE -Werror)
endif()
