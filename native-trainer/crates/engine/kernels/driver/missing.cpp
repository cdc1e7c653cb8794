// Functions that dermake is linked with, and never calls in training: each ends the program with its name. A name that
// the linker misses belongs here, or into one of the other files.
#include "driver.h"

#define MISSING(name)                                                                                                  \
  void name() { driver::fail(#name " is not emulated"); }

extern "C" {

MISSING(cuCtxDestroy_v2)
MISSING(cuMemcpyPeerAsync)
MISSING(cuModuleLoad)
MISSING(cuStreamIsCapturing)
MISSING(cublasDgemmStridedBatched)
MISSING(cublasSgemmStridedBatched)
MISSING(cublasGemmEx)
MISSING(curandGenerateNormal)
MISSING(curandGenerateNormalDouble)

// Candle's kernels for quantized weights and mixtures of experts, which it links as functions of C.
MISSING(moe_gemm_wmma)
MISSING(moe_gemm_gguf)
MISSING(moe_gemm_gguf_prefill)
MISSING(launch_mmq_quantize_q8_1_D4)
MISSING(launch_mmq_quantize_q8_1_DS4)
MISSING(launch_mmq_quantize_q8_1_D2S6)
MISSING(launch_mmvq_gguf_quantize_q8_1_bf16)
MISSING(launch_mmvq_gguf_quantize_q8_1_f16)
MISSING(launch_mmvq_gguf_quantize_q8_1_f32)
#define MISSING_FORMAT(format)                                                                                         \
  MISSING(launch_mmq_gguf_##format)                                                                                    \
  MISSING(launch_mmvq_gguf_##format##_bf16_plain)                                                                      \
  MISSING(launch_mmvq_gguf_##format##_f16_plain)                                                                       \
  MISSING(launch_mmvq_gguf_##format##_f32_plain)
MISSING_FORMAT(q4_0)
MISSING_FORMAT(q4_1)
MISSING_FORMAT(q5_0)
MISSING_FORMAT(q5_1)
MISSING_FORMAT(q8_0)
MISSING_FORMAT(q2_k)
MISSING_FORMAT(q3_k)
MISSING_FORMAT(q4_k)
MISSING_FORMAT(q5_k)
MISSING_FORMAT(q6_k)

} // extern "C"
