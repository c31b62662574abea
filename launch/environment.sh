# The environment of this repository's scripts; they source it (any POSIX shell).

# mpirun refuses to start as root without these.
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# More ranks than cores are allowed. While cores suffice, each of two ranks still gets its own.
export OMPI_MCA_rmaps_base_oversubscribe=1

# Precompiled headers are cached too, and a clone in another folder finds the same entries.
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export CCACHE_NOHASHDIR=1
export CCACHE_BASEDIR="$PWD"

# How many compilers run at a time. One that reads libtorch's headers takes up to 2 GiB.
if [ -z "${CMAKE_BUILD_PARALLEL_LEVEL:-}" ]; then
  CMAKE_BUILD_PARALLEL_LEVEL=$(awk -v cores="$(nproc)" '
    /^MemAvailable/ { fit = int($2 / 2097152) }
    END { print fit < 1 ? 1 : fit < cores ? fit : cores }' /proc/meminfo)
  export CMAKE_BUILD_PARALLEL_LEVEL
fi
