#pragma once
// CRC-32C with the processor's own instruction, where it has one. Whether it has is asked at run time.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)

static inline int sluice_crc32c_in_hardware(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) static inline uint32_t
sluice_crc32c(uint32_t state, const void *bytes, size_t count) {
    const unsigned char *next = (const unsigned char *)bytes;
    uint64_t sum = state;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        sum = __builtin_ia32_crc32di(sum, word);
    }
    uint32_t rest = (uint32_t)sum;
    for (; count > 0; count -= 1, next += 1) rest = __builtin_ia32_crc32qi(rest, *next);
    return rest;
}

#else

static inline int sluice_crc32c_in_hardware(void) { return 0; }

// Never called: sluice_crc32c_in_hardware says so.
static inline uint32_t sluice_crc32c(uint32_t state, const void *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return state;
}

#endif
