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
