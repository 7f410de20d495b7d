// Stands before the C library's allocator in test programs and counts, so that tests can show that
// a loop takes no memory per row.
#include "AllocationCount.h"

#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static _Thread_local long count __attribute__((tls_model("initial-exec")));
static _Thread_local long balance __attribute__((tls_model("initial-exec")));

long allocation_count(void) { return count; }

long allocation_balance(void) { return balance; }

static void *taken(void *memory) {
    count++;
    if (memory != NULL) balance++;
    return memory;
}

void free(void *memory) {
    if (memory != NULL) balance--;
    __libc_free(memory);
}

void *malloc(size_t size) {
    return taken(__libc_malloc(size));
}

void *calloc(size_t number, size_t size) {
    return taken(__libc_calloc(number, size));
}

void *realloc(void *memory, size_t size) {
    if (memory != NULL) balance--;
    void *larger = taken(__libc_realloc(memory, size));
    // What could not be made larger is still there.
    if (larger == NULL && memory != NULL && size != 0) balance++;
    return larger;
}

void *aligned_alloc(size_t alignment, size_t size) {
    return taken(__libc_memalign(alignment, size));
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = taken(__libc_memalign(alignment, size));
    return *memory == NULL ? 12 : 0;
}
