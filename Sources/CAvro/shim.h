#pragma once
#include <avro.h>

// libavro's accessors are macros that call through the value's own table of functions.

static inline void sluice_avro_release(avro_value_iface_t *type) {
    avro_value_iface_decref(type);
}

static inline int sluice_avro_reset(avro_value_t *value) {
    return avro_value_reset(value);
}

static inline int sluice_avro_boolean(const avro_value_t *value, int *out) {
    return avro_value_get_boolean(value, out);
}

static inline int sluice_avro_int(const avro_value_t *value, int32_t *out) {
    return avro_value_get_int(value, out);
}

static inline int sluice_avro_long(const avro_value_t *value, int64_t *out) {
    return avro_value_get_long(value, out);
}

static inline int sluice_avro_float(const avro_value_t *value, float *out) {
    return avro_value_get_float(value, out);
}

static inline int sluice_avro_double(const avro_value_t *value, double *out) {
    return avro_value_get_double(value, out);
}

static inline int sluice_avro_enum(const avro_value_t *value, int *out) {
    return avro_value_get_enum(value, out);
}

// The size of bytes, of a fixed and, with the NUL behind it, of a string.

static inline int sluice_avro_bytes(const avro_value_t *value, const void **out, size_t *size) {
    return avro_value_get_bytes(value, out, size);
}

static inline int sluice_avro_fixed(const avro_value_t *value, const void **out, size_t *size) {
    return avro_value_get_fixed(value, out, size);
}

static inline int sluice_avro_string(const avro_value_t *value, const char **out, size_t *size) {
    return avro_value_get_string(value, out, size);
}

// How many elements an array or a map has.
static inline int sluice_avro_size(const avro_value_t *value, size_t *size) {
    return avro_value_get_size(value, size);
}

// A record's field, or an element of an array or a map with its key.
static inline int sluice_avro_child(
    const avro_value_t *value, size_t index, avro_value_t *child, const char **name) {
    return avro_value_get_by_index(value, index, child, name);
}

static inline int sluice_avro_discriminant(const avro_value_t *value, int *out) {
    return avro_value_get_discriminant(value, out);
}

static inline int sluice_avro_branch(const avro_value_t *value, avro_value_t *branch) {
    return avro_value_get_current_branch(value, branch);
}
