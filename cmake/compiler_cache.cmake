# ccache, where it is installed: the suite builds the same sources several times (presets, seeded bugs, compilers).
# The folder of the build is not part of a result's identity, so that one build profits from the other.
find_program(PACELINE_CCACHE ccache DOC "ccache, or empty for none")
if(PACELINE_CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines ${PACELINE_CCACHE})
endif()
