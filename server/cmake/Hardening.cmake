# Compiler flags of the OpenSSF guide, each probed at configure time, because Debian 12's gcc 12 and
# clang 14 know different subsets. Targets opt in with slipway_target(name): warnings are errors.

include(CheckCCompilerFlag)
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

set(SLIPWAY_SANITIZE "" CACHE STRING "sanitizers, for example address,undefined")

set(_compile_flags
    -fstack-clash-protection -fstack-protector-strong -fcf-protection=full
    -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
    -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3 -fexceptions)
set(_warning_flags
    -Wall -Wextra -Wformat=2 -Wconversion -Wimplicit-fallthrough -Wbidi-chars=any
    -Wtrampolines -Wvla -Wundef -Wshadow)
set(_c_warning_flags
    -Wstrict-prototypes -Wmissing-prototypes -Werror=implicit -Werror=incompatible-pointer-types
    -Werror=int-conversion)
set(_link_flags
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed -Wl,--no-copy-dt-needed-entries)

add_library(slipway_flags INTERFACE)

function(_probe_flags languages visibility)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "HAS${flag}" known)
        check_c_compiler_flag("${flag}" ${known})
        if(${known})
            target_compile_options(slipway_flags INTERFACE "$<$<COMPILE_LANGUAGE:${languages}>:${flag}>")
        endif()
    endforeach()
endfunction()

_probe_flags("C,CXX" INTERFACE ${_compile_flags} ${_warning_flags})
_probe_flags("C" INTERFACE ${_c_warning_flags})
target_compile_options(slipway_flags INTERFACE -Werror)

foreach(flag IN LISTS _link_flags)
    string(MAKE_C_IDENTIFIER "LINKS${flag}" known)
    check_linker_flag(C "${flag}" ${known})
    if(${known})
        target_link_options(slipway_flags INTERFACE "${flag}")
    endif()
endforeach()

if(SLIPWAY_SANITIZE)
    target_compile_options(slipway_flags INTERFACE -fsanitize=${SLIPWAY_SANITIZE}
        -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(slipway_flags INTERFACE -fsanitize=${SLIPWAY_SANITIZE})
    target_compile_definitions(slipway_flags INTERFACE SLIPWAY_SANITIZED=1)
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    # _FORTIFY_SOURCE needs optimisation and hides accesses from the sanitizers.
    target_compile_options(slipway_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

# slipway_target(NAME): the flags every target written here is built with.
function(slipway_target name)
    target_link_libraries(${name} PRIVATE slipway_flags)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/server ${PROJECT_BINARY_DIR}/gen)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
endfunction()
