# libtorch out of the `torch` wheel, CPU or CUDA build, without needing a CUDA toolkit.
#
# The wheel's own package file demands a toolkit in the CUDA case, so this takes its headers and
# libraries directly. Defines the target torch_wheel and, with -DPRETRAIN_CUDA=ON, links the CUDA
# side too (then the CUDA headers and NCCL are needed).
option(PRETRAIN_CUDA "build the CUDA and NCCL path" OFF)
set(PRETRAIN_TORCH "" CACHE PATH "folder of the torch package inside the wheel's environment")

if(NOT PRETRAIN_TORCH)
  file(GLOB candidates ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
  list(GET candidates 0 found)
  set(PRETRAIN_TORCH ${found} CACHE PATH "" FORCE)
endif()
if(NOT EXISTS ${PRETRAIN_TORCH}/include/ATen/ATen.h)
  message(FATAL_ERROR "libtorch: no headers under '${PRETRAIN_TORCH}'. Run ./launch/setup.sh, or "
                      "give -DPRETRAIN_TORCH=<environment>/lib/python3.x/site-packages/torch")
endif()
file(READ ${CMAKE_SOURCE_DIR}/launch/versions.txt versions)
string(REGEX MATCH "torch ([0-9.]+)" unused "${versions}")
set(wanted ${CMAKE_MATCH_1})
file(READ ${PRETRAIN_TORCH}/version.py version_py)
string(REGEX MATCH "__version__ = '([0-9.]+)([^']*)'" unused "${version_py}")
if(NOT CMAKE_MATCH_1 VERSION_EQUAL wanted)
  message(FATAL_ERROR "libtorch: ${PRETRAIN_TORCH} is ${CMAKE_MATCH_1}, launch/versions.txt asks "
                      "for ${wanted}. Run ./launch/setup.sh")
endif()
set(PRETRAIN_TORCH_VERSION ${CMAKE_MATCH_1}${CMAKE_MATCH_2})

add_library(torch_wheel INTERFACE)
target_include_directories(torch_wheel SYSTEM INTERFACE
  ${PRETRAIN_TORCH}/include ${PRETRAIN_TORCH}/include/torch/csrc/api/include)
target_compile_definitions(torch_wheel INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_link_libraries(torch_wheel INTERFACE
  ${PRETRAIN_TORCH}/lib/libtorch_cpu.so ${PRETRAIN_TORCH}/lib/libc10.so)
target_link_options(torch_wheel INTERFACE -Wl,-rpath,${PRETRAIN_TORCH}/lib
                    -Wl,--allow-shlib-undefined)

if(PRETRAIN_CUDA)
  # The CUDA headers of the wheel's own environment come first: they have the version it was built
  # with. A toolkit serves where there are none.
  get_filename_component(site_packages ${PRETRAIN_TORCH} DIRECTORY)
  set(nvidia ${site_packages}/nvidia)
  file(GLOB wheel_cuda ${nvidia}/cu[0-9]*)
  find_path(CUDA_RUNTIME_INCLUDE cuda_runtime_api.h
            HINTS ${wheel_cuda} ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES include)
  find_path(NCCL_INCLUDE nccl.h HINTS ${nvidia}/nccl/include)
  find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${nvidia}/nccl/lib)
  foreach(part CUDA_RUNTIME_INCLUDE NCCL_INCLUDE NCCL_LIBRARY)
    if(NOT ${part})
      message(FATAL_ERROR "PRETRAIN_CUDA: ${part} not found. Install into the wheel's environment "
                          "the packages that tests/cuda_build.sh names, or set CUDA_HOME")
    endif()
  endforeach()
  if(NOT EXISTS ${PRETRAIN_TORCH}/lib/libtorch_cuda.so)
    message(FATAL_ERROR "PRETRAIN_CUDA: ${PRETRAIN_TORCH} is a wheel for CPUs only")
  endif()
  target_include_directories(torch_wheel SYSTEM INTERFACE ${CUDA_RUNTIME_INCLUDE} ${NCCL_INCLUDE})
  # Nothing of ours names a symbol of libtorch_cuda, which registers the CUDA kernels when loaded:
  # the linker would drop it.
  target_link_libraries(torch_wheel INTERFACE
    -Wl,--no-as-needed ${PRETRAIN_TORCH}/lib/libtorch_cuda.so -Wl,--as-needed
    ${PRETRAIN_TORCH}/lib/libc10_cuda.so ${NCCL_LIBRARY})
  # The wheel's libraries find each other by their own paths; ours adds NCCL's.
  get_filename_component(nccl_folder ${NCCL_LIBRARY} DIRECTORY)
  target_link_options(torch_wheel INTERFACE -Wl,-rpath,${nccl_folder})
endif()
set(TorchWheel_FOUND TRUE)
