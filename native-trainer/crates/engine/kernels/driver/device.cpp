// One device of compute capability 9.0 with 80 GiB, its context, stream and memory pool. Work is done when its call
// returns, so nothing is ever waited for.
#include "driver.h"
#include <cstring>
#include <cuda.h>

constexpr size_t TOTAL_BYTES = size_t(80) << 30;

// Handles are told apart from null, and never followed.
template <typename Handle> static Handle handle(uintptr_t number) { return reinterpret_cast<Handle>(number); }

extern "C" {

CUresult cuInit(unsigned) { return CUDA_SUCCESS; }
CUresult cuGetErrorName(CUresult, const char** name) {
  *name = "EMULATED_ERROR";
  return CUDA_SUCCESS;
}
CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "an error of the emulated driver";
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int* count) {
  *count = 1;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice* device, int index) {
  *device = index;
  return index == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}
CUresult cuDeviceGetName(char* name, int len, CUdevice) {
  strncpy(name, "emulated GPU", len);
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = 9; break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = 0; break;
  case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED: *value = 1; break;
  default: driver::fail("the device attribute " + std::to_string(attribute) + " is not emulated");
  }
  return CUDA_SUCCESS;
}
CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
  *free = TOTAL_BYTES - driver::live_bytes();
  *total = TOTAL_BYTES;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) {
  *context = handle<CUcontext>(1);
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) { return CUDA_SUCCESS; }
CUresult cuCtxGetCurrent(CUcontext* context) {
  *context = handle<CUcontext>(1);
  return CUDA_SUCCESS;
}
CUresult cuCtxSetCurrent(CUcontext) { return CUDA_SUCCESS; }
CUresult cuCtxSynchronize() { return CUDA_SUCCESS; }

CUresult cuStreamCreate(CUstream* stream, unsigned) {
  *stream = handle<CUstream>(2);
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy_v2(CUstream) { return CUDA_SUCCESS; }
CUresult cuStreamSynchronize(CUstream) { return CUDA_SUCCESS; }

CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice) {
  *pool = handle<CUmemoryPool>(3);
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) { return cuDeviceGetMemPool(pool, device); }
CUresult cuMemPoolSetAttribute(CUmemoryPool, CUmemPool_attribute attribute, void*) {
  if (attribute != CU_MEMPOOL_ATTR_RELEASE_THRESHOLD) driver::fail("only the pool's release threshold may be set");
  return CUDA_SUCCESS;
}
// The pool keeps nothing that is not in use.
CUresult cuMemPoolGetAttribute(CUmemoryPool, CUmemPool_attribute attribute, void* value) {
  if (attribute != CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT && attribute != CU_MEMPOOL_ATTR_USED_MEM_CURRENT) {
    driver::fail("only the pool's reserved and used memory may be read");
  }
  *static_cast<uint64_t*>(value) = driver::live_bytes();
  return CUDA_SUCCESS;
}

} // extern "C"
